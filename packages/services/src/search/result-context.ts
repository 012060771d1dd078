// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { justBefore } from '@myelin/storage/rooms/events/history-positions'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { eventsBeside } from '../reading/context.ts'
import { renderEvents } from '../reading/render.ts'
import type { View } from '../reading/view.ts'
import { eventFilterOf } from '../room-state/event-filter.ts'
import { loadState } from '../room-state/load-auth-state.ts'
import { printPosition } from '../room-state/page-token.ts'
import type { ContextWish } from './search-request.ts'

/** The events around a result, in the wire format. */
export interface ResultContext {
  readonly start: string
  readonly end: string
  readonly events_before: readonly RawJson[]
  readonly events_after: readonly RawJson[]
  readonly profile_info?: Readonly<Record<string, Profile>>
}

/** The profile of a user in a room, in the wire format. */
interface Profile {
  readonly displayname?: string
  readonly avatar_url?: string
}

const EVERYTHING = eventFilterOf(undefined)

/**
 * Returns the events around a result that the requester may see, the nearest first, and the profiles that their senders had then.
 *
 * @param upTo the last position of the room that the requester may read
 */
export async function contextOf(
  db: Read,
  event: StoredEvent,
  { view, wish, upTo }: { readonly view: View; readonly wish: ContextWish; readonly upTo: number },
): Promise<ResultContext> {
  const { roomId } = event.pdu
  const from = event.position ?? 0
  const beside = (direction: 'backward' | 'forward', limit: number) =>
    eventsBeside(db, view.requester, { roomId, filter: EVERYTHING }, { direction, from, limit })
  const [before, following] = await Promise.all([beside('backward', wish.before), beside('forward', wish.after)])
  const after = following.filter(({ position }) => (position ?? Infinity) <= upTo)
  const last = after.at(-1) ?? event
  return {
    start: printPosition(justBefore(before.at(-1)?.position ?? from)),
    end: printPosition(last.position ?? from),
    events_before: await renderEvents(db, before, view),
    events_after: await renderEvents(db, after, view),
    ...(wish.includesProfile ? { profile_info: await profilesAt(db, last, [...before, event, ...after]) } : {}),
  }
}

/** Returns the profiles that the senders of events have in the state after one of them. */
async function profilesAt(
  db: Read,
  { stateAfter }: StoredEvent,
  events: readonly StoredEvent[],
): Promise<Readonly<Record<string, Profile>>> {
  const senders = [...new Set(events.map(({ pdu }) => pdu.sender))]
  const members = await loadState(
    db,
    stateAfter,
    senders.map((sender) => ['m.room.member', sender]),
  )
  const profiles: [string, Profile][] = []
  for (const { stateKey, content } of members.values()) {
    const [displayname, avatar] = [stringMember(content, 'displayname'), stringMember(content, 'avatar_url')]
    const profile = {
      ...(displayname === undefined ? {} : { displayname }),
      ...(avatar === undefined ? {} : { avatar_url: avatar }),
    }
    if (stateKey !== undefined) profiles.push([stateKey, profile])
  }
  return Object.fromEntries(profiles)
}
