// SPDX-License-Identifier: Apache-2.0
import type { EventId, ServerName } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Read } from '@myelin/storage/engine/database'
import { eventsById } from '@myelin/storage/rooms/events/events'
import { openRoom, roomById } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import type { Checker } from '../intake/check-incoming.ts'
import { fetchGap } from '../intake/fetch-events.ts'
import type { Source } from '../intake/fetch-events.ts'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'
import type { ShownRoom } from './read-join-answer.ts'
import type { MembershipRequest } from './template.ts'

type Needs = Checker

/** The most forward extremities that servers are asked about; a room seldom has more than one. */
const MAX_ASKED = 10
/** The number of membership changes that are followed back to find one that a server still has. */
const MAX_CHANGES = 20
const TIMEOUT_MS = 10_000

/**
 * Returns the forward extremities from an earlier residence that the resident server of the new join does not know.
 *
 * An example is a local leave sent while no server could be reached: the new join does not follow it, so the two fork,
 * and they do on all servers until an event follows both. Membership changes are looked up in the state that was sent,
 * other extremities are requested from the server. An extremity is taken as known where that request fails, because
 * the events that the join follows must not count against it. The server is asked last about those: the state that it
 * resolved may be an older one.
 */
export async function extremitiesUnknownTo(rt: Needs, source: Source, shown: ShownRoom): Promise<readonly EventId[]> {
  const { server, roomId } = source
  const extremities = await rt.db.write(async (tx) => (await openRoom(tx, roomId))?.extremities ?? [])
  if (extremities.length === 0) return []
  const shownIds = new Set(shown.state.map(({ id }) => id))
  const unknown: EventId[] = []
  for (const extremity of await eventsById(rt.db.read, extremities.slice(-MAX_ASKED))) {
    const isKnown = (await isShown(rt.db.read, extremity, shownIds)) ?? (await knows(rt, server, extremity.pdu.id))
    if (!isKnown && !shown.own.prevEvents.includes(extremity.pdu.id)) unknown.push(extremity.pdu.id)
  }
  if (unknown.length === 0) return []
  const between = await fetchGap(rt, source, { extremities: unknown, minDepth: 0 }, [shown.own])
  const followed = new Set(between.flatMap(({ prevEvents }) => prevEvents))
  return unknown.filter((id) => !followed.has(id))
}

/** Returns whether a state has a membership event, or an earlier one of that user; undefined where it has neither. */
async function isShown(db: Read, extremity: StoredEvent, shownIds: ReadonlySet<EventId>): Promise<boolean | undefined> {
  const { type, stateKey } = extremity.pdu
  if (type !== 'm.room.member') return undefined
  if (shownIds.has(extremity.pdu.id)) return true
  let at: StoredEvent | undefined = extremity
  for (let step = 0; at && step < MAX_CHANGES; step++) {
    const before: Pdu | undefined = await loadStateEvent(db, at.stateBefore, type, stateKey)
    if (!before) return undefined
    if (shownIds.has(before.id)) return false
    at = (await eventsById(db, [before.id]))[0]
  }
  return undefined
}

/**
 * Refuses a join that a local fork undoes, because state resolution gives the same result on all servers. The join may
 * work through a server that knows the local side of the fork.
 */
export async function requireJoined(rt: Needs, { roomId, userId }: MembershipRequest): Promise<void> {
  const room = await roomById(rt.db.read, roomId)
  const event = room && (await loadStateEvent(rt.db.read, room.stateRoot, 'm.room.member', userId))
  if (event && stringMember(event.content, 'membership') === 'join') return
  throw new RemoteError('refused', 'the join conflicts with events that the server does not know yet')
}

async function knows(rt: Needs, server: ServerName, id: EventId): Promise<boolean> {
  const target = federationPath(['federation', 'v1', 'event', id])
  try {
    await rt.remote.call(server, { method: 'GET', target, timeoutMs: TIMEOUT_MS, keepNumbers: true })
    return true
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    return cause.status !== 404
  }
}
