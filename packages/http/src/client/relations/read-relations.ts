// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId } from '@myelin/matrix/ids'
import { readRelations } from '@myelin/services/reading/relations'
import type { Requester, Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { ClientEventSchema } from '../../reply-schemas.ts'
import { EventIdSchema, FlagSchema, OptionalText, oneOf, PositiveLimit, RoomIdSchema } from '../../schemas.ts'

const DEFAULT_LIMIT = 50

/** The path of the relations of an event. */
export const RELATIONS = '/_matrix/client/v1/rooms/:roomId/relations/:eventId'
/** The parameters of {@link RELATIONS}. */
export const relationsParams = { roomId: RoomIdSchema, eventId: EventIdSchema }
/** The page of relations to return. */
export const RelationsQuery = Type.Object({
  from: OptionalText,
  to: OptionalText,
  limit: PositiveLimit,
  dir: Type.Optional(oneOf(['b', 'f'])),
  recurse: Type.Optional(FlagSchema),
})
/** A page of relations. */
export const RelationsReply = Type.Object({
  chunk: Type.Array(ClientEventSchema),
  prev_batch: OptionalText,
  next_batch: OptionalText,
  recursion_depth: Type.Optional(Type.Integer()),
})

interface RelationsRequest {
  readonly params: { roomId: RoomId; eventId: EventId; relType?: string; eventType?: string }
  readonly query: Static<typeof RelationsQuery>
  readonly requester: Requester
}

/** Returns a page of the events that relate to an event, with the relation and event type of the path where it has them. */
export async function relationsPage({ params, query, requester }: RelationsRequest, rt: Runtime) {
  return readRelations(rt, requester, {
    ...params,
    direction: query.dir === 'f' ? 'forward' : 'backward',
    from: query.from,
    to: query.to,
    limit: query.limit ?? DEFAULT_LIMIT,
    recurses: query.recurse ?? false,
  })
}
