// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { optionalOrNull } from '../../optional-or-null.ts'
import { RoomIdSchema, UserIdSchema } from '../../schemas.ts'

const ServerNames = Type.Optional(Type.Array(Type.String()))

/** The parameters of a path with a room id. */
export const RoomParams = Type.Object({ roomId: RoomIdSchema })
/** The parameters of a path with a room id or an alias. */
export const RoomOrAliasParams = Type.Object({ roomIdOrAlias: Type.String() })
/** A body with a reason. */
export const ReasonBody = Type.Object({ reason: optionalOrNull(Type.String()) })
/** A body with the user a membership change is about, and a reason. */
export const TargetBody = Type.Object({ user_id: UserIdSchema, reason: optionalOrNull(Type.String()) })
/** A body with the user who is kicked or banned, a reason, and whether their events are redacted (MSC4293). */
export const RemovalBody = Type.Object({
  ...TargetBody.properties,
  'org.matrix.msc4293.redact_events': optionalOrNull(Type.Boolean()),
})
/** The servers to enter a room through; `server_name` is the older name of `via`. */
export const ViaQuery = Type.Object({ via: ServerNames, server_name: ServerNames })

/** Returns the servers of a {@link ViaQuery}. */
export function viaOf({ via = [], server_name: older = [] }: Static<typeof ViaQuery>): string[] {
  return [...via, ...older]
}

/** Returns the reason of a body, where it has one. */
export function reasonOf({ reason }: Static<typeof ReasonBody>): { reason?: string } {
  return reason === undefined ? {} : { reason }
}
