// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import { checkDatabase } from '@myelin/services/check-database'
import { recipientsOf } from '@myelin/services/federation/send/recipients'
import { EVENT_STATUS, pdusByNid, timeline } from '@myelin/storage/events'
import { everyEvent } from '@myelin/storage/integrity'
import { joinedServersAt } from '@myelin/storage/joined-servers'
import { outgoingEvents } from '@myelin/storage/outgoing-events'
import { namedState, openRoom, roomById } from '@myelin/storage/rooms'
import { roomsWithStagedPdus } from '@myelin/storage/staged-pdus'
import type { StoredEvent } from '@myelin/storage/stored-event'
import type { TestServer } from '../server.ts'
import { SyncedClient } from '../synced-client.ts'
import type { Citizen, Town } from './town.ts'

/** What a server has of the room. */
export interface View {
  readonly server: TestServer
  /** Its people who are in the room, as it sees it. */
  readonly joined: readonly Citizen[]
  readonly state: Readonly<Record<string, string>>
  readonly heads: readonly EventId[]
  /** The events it shows, with those they name as `prev_events`. */
  readonly shown: ReadonlyMap<string, readonly string[]>
  /** What became of every event it has. */
  readonly fates: ReadonlyMap<string, number>
  /** The events of its own people, each with the servers it goes to. */
  readonly sent: ReadonlyMap<string, ReadonlySet<ServerName>>
  /** Whether all its people were out of the room for a while, so that it refused what was sent to it. */
  readonly wasAway: boolean
}

/** A head more than there are servers is a fork nobody closed. */
const MAX_HEADS = 3

/** A server's people who are in the room, as it sees it. */
export async function joinedAt({ citizens, roomId }: Town, server: TestServer): Promise<readonly Citizen[]> {
  const joined: Citizen[] = []
  for (const citizen of citizens) {
    if (citizen.server.name !== server.name) continue
    const { body } = await citizen.server.call('GET', '/_matrix/client/v3/joined_rooms', { token: citizen.token })
    if ((body['joined_rooms'] as string[]).includes(roomId)) joined.push(citizen)
  }
  return joined
}

/** Reads what a server has. */
export async function viewOf(town: Town, server: TestServer): Promise<View> {
  const { roomId } = town
  const { db } = server.rt
  const room = await roomById(db.read, roomId)
  const state: Record<string, string> = {}
  const entries = await namedState(db.read, room?.stateRoot ?? 0)
  const ids = await pdusByNid(
    db.read,
    entries.map(({ event }) => event),
  )
  for (const { type, stateKey, event } of entries) state[`${type} ${stateKey}`] = String(ids.get(event)?.id)
  const events = await timeline(db.read, {
    roomId,
    direction: 'forward',
    after: -(2 ** 50),
    before: 2 ** 40,
    limit: 10_000,
  })
  const fates = new Map<string, number>()
  for await (const page of everyEvent(db.read)) for (const { id, status } of page) fates.set(id, status)
  const heads = await db.write(async (tx) => (await openRoom(tx, roomId))?.extremities ?? [])
  const joined = await joinedAt(town, server)
  const shown = new Map(events.map(({ pdu }) => [pdu.id, pdu.prevEvents]))
  const wasAway = await hasLeft(server, roomId, events)
  return { server, joined, state, heads, shown, fates, sent: await sentBy(server, roomId), wasAway }
}

async function hasLeft({ name, rt }: TestServer, roomId: RoomId, events: readonly StoredEvent[]): Promise<boolean> {
  for (const { pdu, stateAfter } of events) {
    if (pdu.type !== 'm.room.member' || pdu.content['membership'] === 'join') continue
    if (!(await joinedServersAt(rt.db.read, roomId, stateAfter)).has(name as ServerName)) return true
  }
  return false
}

async function sentBy({ name, rt }: TestServer, roomId: RoomId): Promise<Map<string, ReadonlySet<ServerName>>> {
  const sent = new Map<string, ReadonlySet<ServerName>>()
  for await (const page of outgoingEvents(rt.db.read, name, roomId, { after: 0, upTo: 2 ** 40 })) {
    const pdus = await pdusByNid(
      rt.db.read,
      page.map(({ nid }) => nid),
    )
    for (const event of page) sent.set(String(pdus.get(event.nid)?.id), await recipientsOf(rt.db.read, roomId, event))
  }
  return sent
}

/** No server contradicts itself on its disk. */
export async function areWhole(servers: readonly TestServer[]): Promise<void> {
  for (const { name: server, rt } of servers) {
    rt.db.read.caches.clear()
    for await (const { what, name, fault } of checkDatabase(rt.db.read))
      assert.fail(`${server}: ${what} ${name}: ${fault}`)
  }
}

/** Whatever the others have, a server is at peace with itself, and its clients with it. */
export async function isSound(town: Town, view: View): Promise<void> {
  const { server, joined, state } = view
  assert.deepEqual(
    await roomsWithStagedPdus(server.rt.db.read, Number.MAX_SAFE_INTEGER),
    [],
    `${server.name} has not judged everything`,
  )
  for (const citizen of joined) {
    await citizen.client.sync()
    const once = new SyncedClient(server, citizen.token, { limit: 50, stateAfter: true })
    await once.sync()
    assert.deepEqual(once.stateOf(town.roomId), sorted(state), `${citizen.userId} syncs something else`)
    // What state resolution takes away and puts nothing in its place of, /sync has no words for.
    const synced = Object.entries(citizen.client.stateOf(town.roomId)).filter(([key]) => key in state)
    assert.deepEqual(Object.fromEntries(synced), sorted(state), `${citizen.userId} synced something else`)
    const { body } = await town.ask(citizen, 'GET', 'members')
    const members = (body['chunk'] as { event_id: string }[]).map(({ event_id: id }) => id)
    const kept = Object.entries(state).flatMap(([key, id]) => (key.startsWith('m.room.member ') ? [id] : []))
    assert.deepEqual(members.toSorted(), kept.toSorted(), `the members ${citizen.userId} is told`)
  }
}

/**
 * Two servers in the room have the same; answers false where they see two rooms and nothing in the spec brings them
 * together: one turned away what the other one took, for good; or one went and came again, through a server that did not
 * know yet what it had done before, and begins there. Whatever they see, what either sent the other has arrived there,
 * unless that was out of the room for a while.
 */
export function haveTheSame(one: View, other: View): boolean {
  const both = [
    [one, other],
    [other, one],
  ] as const
  for (const [a, b] of both) {
    for (const [id, servers] of a.sent) {
      const isDue = servers.has(b.server.name) && !b.wasAway
      assert.ok(!isDue || b.fates.has(id), `${id} of ${a.server.name} never reached ${b.server.name}`)
    }
  }
  if (hasBegunAnew(one) || hasBegunAnew(other)) return false
  if (both.some(([a, b]) => a.heads.some((id) => !b.shown.has(id)))) return false
  for (const [a, b] of both) {
    for (const id of a.shown.keys()) {
      if (b.shown.has(id)) continue
      assert.equal(b.fates.get(id), EVENT_STATUS.softFailed, `${id} of ${a.server.name} is not at ${b.server.name}`)
    }
  }
  const names = `${one.server.name} and ${other.server.name}`
  assert.deepEqual(sorted(one.state), sorted(other.state), `the state on ${names}`)
  assert.ok(one.heads.length <= MAX_HEADS && other.heads.length <= MAX_HEADS, `the heads on ${names}`)
  return true
}

/** Whether a server shows events to which its heads do not lead. */
function hasBegunAnew({ heads, shown }: View): boolean {
  const reached = new Set<string>()
  const open: string[] = [...heads]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue
    reached.add(id)
    open.push(...(shown.get(id) ?? []))
  }
  return [...shown.keys()].some((id) => !reached.has(id))
}

const sorted = (state: View['state']) =>
  Object.fromEntries(Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1)))
