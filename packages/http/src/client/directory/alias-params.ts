// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'

/** The path of an alias. */
export const ALIAS = '/_matrix/client/v3/directory/room/:roomAlias'
/** The parameters of {@link ALIAS}. */
export const AliasParams = Type.Object({ roomAlias: Type.String() })
