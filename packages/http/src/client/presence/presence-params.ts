// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { oneOf, UserIdSchema } from '../../schemas.ts'

/** The path of a user's presence. */
export const PRESENCE = '/_matrix/client/v3/presence/:userId/status'
/** The parameters of {@link PRESENCE}. */
export const PresenceParams = Type.Object({ userId: UserIdSchema })
/** A presence state; `busy` by its name in MSC3026. */
export const PresenceStateSchema = oneOf(['online', 'unavailable', 'offline', 'org.matrix.msc3026.busy'])
