// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { extendRoom } from '@myelin/services/rooms/append/extend-room'
import { isNeed } from '@myelin/services/rooms/resolution/unit-needs'
import { writeEvents } from '@myelin/services/rooms/append/write-events'
import { roomTail } from '@myelin/storage/rooms/events/events'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { namedState, openRoom, roomById } from '@myelin/storage/rooms/rooms'
import { eventIdsByNid } from '@myelin/storage/federation/served-events'
import type { OpenDatabase } from '../databases.ts'
import { testNetwork } from '../network.ts'
import type { TestNetwork } from '../network.ts'
import type { TestServer } from '../server.ts'

/** A user and their home. */
export type User = Awaited<ReturnType<TestServer['register']>> & { readonly server: TestServer }

/** Two users of two servers, and a room of the first. */
export type Stage = {
  readonly network: TestNetwork
  readonly alice: User
  readonly bob: User
  readonly roomId: RoomId
}

/** Registers a user on a server. */
export const user = async (network: TestNetwork, name: string, server: string): Promise<User> => {
  const home = network.server(server)
  return { ...(await home.register(name)), server: home }
}

/** Calls the client API in a user's name. */
export const post = (who: User, path: string, body: JsonObject = {}) =>
  who.server.call('POST', `/_matrix/client/v3/${path}`, { token: who.token, body })

/** Creates a room. */
export const create = async (who: User, roomOptions: JsonObject): Promise<RoomId> => {
  const { status, body } = await post(who, 'createRoom', roomOptions)
  assert.equal(status, 200, JSON.stringify(body))
  return body['room_id'] as RoomId
}

/** Returns a path below a room's. */
export const path = (roomId: RoomId, rest: string) => `rooms/${encodeURIComponent(roomId)}/${rest}`

/** Joins a room by id or alias through these servers. */
export const join = (who: User, room: string, via: readonly string[] = ['one.test']) =>
  post(who, `join/${encodeURIComponent(room)}?${via.map((server) => `via=${server}`).join('&')}`)

/** Creates a public room of alice on one.test, and the user bob on two.test. */
export async function stage(
  open: OpenDatabase,
  options: { servers?: number; roomOptions?: JsonObject } = {},
): Promise<Stage> {
  const network = await testNetwork({ servers: options.servers ?? 2, open })
  const alice = await user(network, 'alice', 'one.test')
  const bob = await user(network, 'bob', 'two.test')
  const roomId = await create(alice, { preset: 'public_chat', name: 'The room', ...options.roomOptions })
  return { network, alice, bob, roomId }
}

/** Returns the event IDs of a room's state on a server. */
export async function stateOn({ server }: User, roomId: RoomId): Promise<string[]> {
  const db = server.rt.db.read
  const row = await roomById(db, roomId)
  const state = await namedState(db, row?.stateRoot ?? 0)
  return (
    await eventIdsByNid(
      db,
      state.map(({ event }) => event),
    )
  ).toSorted()
}

/** Runs an action and returns the JSON of the newest event of the room. */
export async function lastEvent({ server }: User, act: () => Promise<unknown>, roomId: RoomId): Promise<JsonObject> {
  await act()
  const row = await roomById(server.rt.db.read, roomId)
  const [event] = await roomTail(server.rt.db.read, roomId, row?.lastPosition ?? 0)
  return event?.pdu.json ?? {}
}

/** Syncs at once. */
export const sync = (who: User, since?: string) =>
  who.server.call('GET', `/_matrix/client/v3/sync${since === undefined ? '' : `?since=${since}`}`, { token: who.token })

/** Returns the stripped state shown to a user who is invited or knocks. */
export async function offered(who: User, kind: 'invite' | 'knock', roomId: RoomId): Promise<JsonObject[]> {
  const rooms = (await sync(who)).body['rooms'] as Record<string, Record<string, JsonObject>>
  const state = rooms[kind]?.[roomId]?.[`${kind}_state`] as { events: JsonObject[] } | undefined
  return state?.events ?? []
}

/** Returns a user's membership on a server. */
export const standing = async ({ server }: User, roomId: RoomId, userId: string) =>
  (await membershipIn(server.rt.db.read, roomId, userId as UserId))?.membership

/** Gives users of the room's own server another membership there, all at once. */
export async function moveAll({ alice, roomId }: Stage, users: readonly UserId[], membership: string): Promise<void> {
  const { rt } = alice.server
  await writeEvents(rt, async (tx, maker) => {
    for (const sender of users) {
      const room = await openRoom(tx, roomId)
      if (!room) throw new Error('no such room')
      const content = { membership, displayname: sender.slice(1) }
      const draft = { roomId, sender, type: 'm.room.member', stateKey: sender, content }
      const extended = await extendRoom(tx, maker, room, draft)
      if (isNeed(extended)) return extended
    }
    return undefined
  })
}
