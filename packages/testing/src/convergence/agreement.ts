// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { EventId } from '@myelin/matrix/ids'
import { checkDatabase } from '@myelin/services/check-database'
import { pdusByNid, timeline } from '@myelin/storage/rooms/events/events'
import { namedState, openRoom, roomById } from '@myelin/storage/rooms/rooms'
import { roomsWithStagedPdus } from '@myelin/storage/federation/staged-pdus'
import type { TestServer } from '../server.ts'
import { SyncedClient } from '../clients/synced-client.ts'
import { violationsOf } from './room-invariants.ts'
import { loadStoredRoom } from './stored-room.ts'
import type { StoredRoom } from './stored-room.ts'
import type { SyncedUser, Simulation } from './simulation.ts'

/** A room, and all its possible members. */
export type SimulatedRoom = Pick<Simulation, 'users' | 'roomId'>

/** A server's view of the room. */
export interface View {
  readonly server: TestServer
  /** The server's users who are joined, by its own state. */
  readonly joined: readonly SyncedUser[]
  readonly state: Readonly<Record<string, string>>
  readonly extremities: readonly EventId[]
  /** The events it shows. */
  readonly shown: ReadonlySet<EventId>
  /** Everything that its database has of the room. */
  readonly ledger: StoredRoom
}

/** Returns the server's users who are joined, by its own state. */
export async function joinedAt({ users, roomId }: SimulatedRoom, server: TestServer): Promise<readonly SyncedUser[]> {
  const joined: SyncedUser[] = []
  for (const user of users) {
    if (user.server.name !== server.name) continue
    const { body } = await user.server.call('GET', '/_matrix/client/v3/joined_rooms', { token: user.token })
    if ((body['joined_rooms'] as string[]).includes(roomId)) joined.push(user)
  }
  return joined
}

/** Reads what a server has. */
export async function viewOf(simulation: SimulatedRoom, server: TestServer): Promise<View> {
  const { roomId } = simulation
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
  const extremities = await db.write(async (tx) => (await openRoom(tx, roomId))?.extremities ?? [])
  const joined = await joinedAt(simulation, server)
  const shown = new Set(events.map(({ pdu }) => pdu.id))
  return { server, joined, state, extremities, shown, ledger: await loadStoredRoom(server.name, db.read, roomId) }
}

/** Asserts that no server contradicts itself on its disk. */
export async function areWhole(servers: readonly TestServer[]): Promise<void> {
  for (const { name: server, rt } of servers) {
    rt.db.read.caches.clear()
    for await (const { what, name, fault } of checkDatabase(rt.db.read))
      assert.fail(`${server}: ${what} ${name}: ${fault}`)
  }
}

/** Asserts that a server breaks no invariant, and that its clients have the state that it has. */
export async function isSound(simulation: Simulation, view: View): Promise<void> {
  const { server, joined, state, extremities, ledger } = view
  for (const breach of violationsOf(ledger, extremities)) assert.fail(`${server.name}: ${breach}`)
  assert.deepEqual(
    await roomsWithStagedPdus(server.rt.db.read, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    [],
    `${server.name} has not judged everything`,
  )
  for (const user of joined) {
    await user.client.sync()
    const once = new SyncedClient(server, user.token, { limit: 50, stateAfter: true })
    await once.sync()
    assert.deepEqual(once.stateOf(simulation.roomId), sorted(state), `${user.userId} syncs something else`)
    // `/sync` cannot express that state resolution removed a state event without a replacement.
    const synced = Object.entries(user.client.stateOf(simulation.roomId)).filter(([key]) => key in state)
    assert.deepEqual(Object.fromEntries(synced), sorted(state), `${user.userId} synced something else`)
    const { body } = await simulation.ask(user, 'GET', 'members')
    const members = (body['chunk'] as { event_id: string }[]).map(({ event_id: id }) => id)
    const kept = Object.entries(state).flatMap(([key, id]) => (key.startsWith('m.room.member ') ? [id] : []))
    assert.deepEqual(members.toSorted(), kept.toSorted(), `the members ${user.userId} is received`)
  }
}

const sorted = (state: View['state']) =>
  Object.fromEntries(Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1)))
