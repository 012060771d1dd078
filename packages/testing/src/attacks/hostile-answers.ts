// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { eventById } from '@myelin/storage/rooms/events/events'
import type { Stage } from './stage.ts'

/** Returns a handler that always gives the same answer. */
export const always = (json: JsonObject) => () => json

/** Makes the hostile server answer requests for single events, and for the IDs of the state. */
export function answerWith(stage: Stage, state: readonly Pdu[], history: readonly Pdu[]): void {
  const { answers } = stage.evil
  const all = new Map<string, JsonObject>([...state, ...history].map(({ id, json }) => [id, json]))
  answers.set('event/', ({ target }) => {
    const json = all.get(decodeURIComponent(target.split('/').at(-1) ?? ''))
    return { pdus: json ? [json] : [] }
  })
  answers.set('state_ids/', always({ pdu_ids: state.map(({ id }) => id), auth_chain_ids: [] }))
}

/** Returns the events of the room's current state. */
export async function stateNow(stage: Stage): Promise<Pdu[]> {
  const answer = await stage.home.call(
    'GET',
    `/_matrix/client/v3/rooms/${encodeURIComponent(stage.room.roomId)}/state`,
    { token: stage.alice.token },
  )
  const ids = (answer.body as unknown as { event_id: EventId }[]).map(({ event_id }) => event_id)
  const events = await Promise.all(ids.map((id) => eventById(stage.home.rt.db.read, id)))
  return events.flatMap((event) => event?.pdu ?? [])
}
