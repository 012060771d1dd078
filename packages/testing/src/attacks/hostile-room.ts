// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import { publicForeignRoom } from '../foreign-room.ts'
import type { ForeignRoom } from '../foreign-room.ts'
import { joinAnswer, membershipTemplate } from '../fake-servers/honest-answers.ts'
import { testSigningKey } from '../runtime.ts'
import type { Stage } from './stage.ts'
import { always } from './hostile-answers.ts'

/** The creator of the room. */
export const head = '@head:evil.test'

/** Creates a room of the hostile server, whose join requests it answers as an honest server would. */
export function hostileRoom(stage: Stage, roomVersion = '11'): ForeignRoom {
  const version = roomVersionOf(roomVersion)
  const room = publicForeignRoom(version, head, testSigningKey, stage.home.rt.clock.now() - 1000)
  const { answers } = stage.evil
  answers.set('make_join/', always(templateOf(stage, room)))
  answers.set('send_join/', (request) => changedJoinAnswer(room, parseJson(String(request.body)) as JsonObject))
  return room
}

/** Returns the template by which alice joins, leaves or knocks, with changed members of the event. */
export function templateOf(
  stage: Stage,
  room: ForeignRoom,
  change: JsonObject = {},
  membership: 'join' | 'leave' | 'knock' = 'join',
): JsonObject {
  const template = membershipTemplate(room, stage.alice.userId, membership)
  return { ...template, event: { ...template.event, ...change } }
}

/** Returns the answer of an honest server to a join, with changed members. */
export const changedJoinAnswer = (room: ForeignRoom, event: JsonObject, change: JsonObject = {}): JsonObject => ({
  ...joinAnswer(room, event, { origin: 'evil.test', servers: ['evil.test'] }),
  ...change,
})

/** Joins alice through the hostile server. */
export async function join({ home, alice }: Stage, roomId: string) {
  const path = `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?server_name=evil.test`
  return home.call('POST', path, { token: alice.token, body: {} })
}

/** Returns the events with our signature that went to the hostile server in handshakes. */
export function signedByUs({ evil, home }: Stage): JsonObject[] {
  const bodies = evil.asked.filter(({ target, body }) => body !== undefined && !target.includes('/v1/send/'))
  const events = bodies.map(({ body }) => parseJson(String(body)) as JsonObject)
  return events.filter(({ signatures }) => home.name in ((signatures ?? {}) as JsonObject))
}
