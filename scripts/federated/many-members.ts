// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { unlessLimited, RoomClient, until } from '@myelin/testing/clients/room-client'
import type { Room } from '@myelin/testing/clients/room-client'
import type { HomeServer } from './servers.ts'

const MANY = 6

/** Joins a room whose members arrive after the join: users send messages at once, and all members are known in the end. */
export async function manyMembers(pair: {
  readonly here: RoomClient
  readonly there: RoomClient
  readonly hereServer: HomeServer
}): Promise<void> {
  const { here, there, hereServer } = pair
  const room = await here.createRoom({ preset: 'public_chat', name: 'Many members' })
  const stamp = Date.now()
  for (let index = 0; index < MANY; index++) {
    const name = `member${stamp}x${index}`
    const member = await until('another account', () => unlessLimited(() => RoomClient.register(hereServer.url, name)))
    await member.call('POST', `${room.path}/join`, {})
  }
  const via = here.userId.slice(here.userId.indexOf(':') + 1)
  await there.call('POST', `/join/${encodeURIComponent(room.id)}?server_name=${encodeURIComponent(via)}`, {})
  await arrives(here, room, await there.say(room, 'at once'))
  await arrives(there, room, await here.say(room, 'so soon'))
  const joined = (await there.call('GET', `${room.path}/joined_members`))['joined'] as object
  assert.equal(Object.keys(joined).length, MANY + 2)
  await arrives(here, room, await there.say(room, 'with everybody'))
}

async function arrives(who: RoomClient, room: Room, eventId: string): Promise<void> {
  await until(`${eventId} at ${who.userId}`, () => who.event(room, eventId))
}
