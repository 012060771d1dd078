// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { UserIdSchema } from '../../schemas.ts'

/** The paths of a profile field: the spec's, and the one of MSC4133, which some clients still use. */
export const FIELD_PATHS = [
  '/_matrix/client/v3/profile/:userId/:keyName',
  '/_matrix/client/unstable/uk.tcpip.msc4133/profile/:userId/:keyName',
] as const
/** The parameters of {@link FIELD_PATHS}. */
export const FieldParams = Type.Object({ userId: UserIdSchema, keyName: Type.String() })
