// SPDX-License-Identifier: Apache-2.0
import { isObject, stringMember } from '@myelin/matrix/json'
import type { UserId } from '@myelin/matrix/ids'
import { parseJson } from '@myelin/matrix/parse-json'
import { canonicalMembers, signedForm } from '@myelin/rules/events/canonical-members'
import { hashedEventId } from '@myelin/rules/events/event-id'
import type { Read } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsByNid, pdusByNid } from '@myelin/storage/rooms/events/events'
import { countRows, everyEvent, everyRoom, nodeFaults, membershipsByUser } from '@myelin/storage/rooms/integrity'
import type { CheckedEvent, CheckedRoom, DatabaseFault } from '@myelin/storage/rooms/integrity'
import { keyNid } from '@myelin/storage/engine/names'
import { namedState } from '@myelin/storage/rooms/rooms'
import { stateAt, stateDifference } from '@myelin/storage/rooms/state/state'
import { roomVersionOf } from './room-state/versions.ts'

/** Reports progress: rows done, of all. */
export type Progress = (done: number, all: number) => void

/**
 * Checks all redundant data of the database and yields the inconsistencies it finds: trie nodes and hashes, events and
 * IDs, states before and after events, rooms and members. It reads only.
 */
export async function* checkDatabase(db: Read, progress: Progress = () => {}): AsyncGenerator<DatabaseFault> {
  const { nodes, events, rooms } = await countRows(db)
  const all = nodes + events + rooms
  let done = 0
  const advance = (count: number) => progress((done += count), all)
  for await (const { seen, faults } of nodeFaults(db)) {
    yield* faults
    advance(seen)
  }
  for await (const page of everyEvent(db)) {
    for (const event of page) {
      const fault = await eventFault(db, event)
      if (fault !== undefined) yield { what: 'event', name: event.id, fault }
    }
    advance(page.length)
  }
  for await (const page of everyRoom(db)) {
    for (const room of page)
      for (const fault of await roomFaults(db, room)) yield { what: 'room', name: room.id, fault }
    advance(page.length)
  }
}

async function eventFault(db: Read, event: CheckedEvent): Promise<string | undefined> {
  const version = roomVersionOf(event.roomVersion)
  const json = parseJson(Buffer.from(event.pdu).toString(), { keepNumbers: true })
  if (!isObject(json)) return 'its PDU is not a JSON object'
  const id = hashedEventId(signedForm(canonicalMembers(json, version), json, version), version)
  if ((id ?? stringMember(json, 'event_id')) !== event.id) return 'its content does not give its id'
  if (event.stateAfter === 0) return undefined // an outlier between unknown states
  return stateFault(db, event)
}

async function stateFault(db: Read, event: CheckedEvent): Promise<string | undefined> {
  const changes = await stateDifference(db, event.stateBefore, event.stateAfter)
  if (event.stateKey === undefined || event.status === EVENT_STATUS.rejected) {
    return changes.length === 0 ? undefined : 'it changes state and may not'
  }
  const key = await keyNid(db, event.type, event.stateKey)
  if (key === undefined) return 'its state key has no number'
  if (changes.some((change) => change.key !== key)) return 'it changes state that is not its own'
  return (await stateAt(db, event.stateAfter, key)) === event.nid ? undefined : 'the state after it does not have it'
}

async function roomFaults(db: Read, room: CheckedRoom): Promise<string[]> {
  if (room.stateRoot === 0) return []
  const faults: string[] = []
  const stored = await pdusByNid(db, room.extremityNids)
  if (room.extremityNids.length === 0) faults.push('it has no forward extremities')
  for (const nid of room.extremityNids) if (!stored.has(nid)) faults.push(`its forward extremity ${nid} is missing`)
  if (room.extremityNids.length !== room.extremityCount)
    faults.push(`it counts ${room.extremityCount} forward extremities, and has ${room.extremityNids.length}`)
  const members = (await namedState(db, room.stateRoot)).filter(({ type }) => type === 'm.room.member')
  const pdus = await pdusByNid(
    db,
    members.map(({ event }) => event),
  )
  const table = await membershipsByUser(db, room.nid)
  const outside = await standingOutside(db, table, new Map(members.map(({ stateKey, event }) => [stateKey, event])))
  const counts = { join: 0, invite: 0 }
  const count = (membership: string | undefined) => {
    if (membership === 'join' || membership === 'invite') counts[membership]++
  }
  for (const user of outside) count(table.get(user)?.membership)
  for (const { stateKey, event } of members) {
    if (outside.has(stateKey as UserId)) continue
    const pdu = pdus.get(event)
    const membership = (pdu && stringMember(pdu.content, 'membership')) ?? 'leave'
    count(membership)
    const standing = table.get(stateKey as UserId)
    if (standing?.membership !== membership)
      faults.push(`${stateKey} is ${membership} in the state and not in the table`)
  }
  if (counts.join !== room.joined) faults.push(`it counts ${room.joined} joined members, and has ${counts.join}`)
  if (counts.invite !== room.invited) faults.push(`it counts ${room.invited} invited members, and has ${counts.invite}`)
  return faults
}

/**
 * Returns the members whose member event is outside the room's graph, because the room continued without this server.
 */
async function standingOutside(
  db: Read,
  table: Awaited<ReturnType<typeof membershipsByUser>>,
  state: ReadonlyMap<string, number>,
): Promise<Set<UserId>> {
  const others = [...table].filter(([user, { event }]) => state.get(user) !== event)
  const events = await eventsByNid(
    db,
    others.map(([, { event }]) => event),
  )
  return new Set(others.flatMap(([user, { event }]) => (events.get(event)?.position === null ? [user] : [])))
}
