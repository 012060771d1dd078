// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId } from '@myelin/matrix/ids'
import { readRelations } from '@myelin/services/reading/relations'
import { readThreads } from '@myelin/services/reading/threads'
import type { Requester, Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EventIdSchema, FlagSchema, RoomIdSchema } from '../../schemas.ts'

const PATH = '/_matrix/client/v1/rooms/:roomId/relations/:eventId'
const DEFAULT_LIMIT = 50
const Params = { roomId: RoomIdSchema, eventId: EventIdSchema }
const Query = Type.Object({
  from: Type.Optional(Type.String()),
  to: Type.Optional(Type.String()),
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
  dir: Type.Optional(Type.Union([Type.Literal('b'), Type.Literal('f')])),
  recurse: Type.Optional(FlagSchema),
})

type Asked = {
  readonly params: { roomId: RoomId; eventId: EventId; relType?: string; eventType?: string }
  readonly query: Static<typeof Query>
  readonly requester: Requester
}

async function answer({ params, query, requester }: Asked, rt: Runtime): Promise<unknown> {
  return readRelations(rt, requester, {
    ...params,
    direction: query.dir === 'f' ? 'forward' : 'backward',
    from: query.from,
    to: query.to,
    limit: query.limit ?? DEFAULT_LIMIT,
    recurses: query.recurse ?? false,
  })
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventid */
export const getRelatingEvents = endpoint({
  id: 'getRelatingEvents',
  method: 'GET',
  path: PATH,
  access: 'guest',
  params: Type.Object(Params),
  query: Query,
  handle: answer,
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventidreltype */
export const getRelatingEventsWithRelType = endpoint({
  id: 'getRelatingEventsWithRelType',
  method: 'GET',
  path: `${PATH}/:relType`,
  access: 'guest',
  params: Type.Object({ ...Params, relType: Type.String() }),
  query: Query,
  handle: answer,
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventidreltypeeventtype */
export const getRelatingEventsWithRelTypeAndEventType = endpoint({
  id: 'getRelatingEventsWithRelTypeAndEventType',
  method: 'GET',
  path: `${PATH}/:relType/:eventType`,
  access: 'guest',
  params: Type.Object({ ...Params, relType: Type.String(), eventType: Type.String() }),
  query: Query,
  handle: answer,
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidthreads */
export const getThreadRoots = endpoint({
  id: 'getThreadRoots',
  method: 'GET',
  path: '/_matrix/client/v1/rooms/:roomId/threads',
  access: 'guest',
  params: Type.Object({ roomId: RoomIdSchema }),
  query: Type.Object({
    include: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('participated')])),
    from: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
  }),
  async handle({ params: { roomId }, query, requester }, rt) {
    const isMine = query.include === 'participated'
    return readThreads(rt, requester, { roomId, isMine, from: query.from, limit: query.limit ?? DEFAULT_LIMIT })
  },
})
