// SPDX-License-Identifier: Apache-2.0
import { RoomClient, until } from '@myelin/testing/clients/room-client'
import type { Room } from '@myelin/testing/clients/room-client'
import { Playground } from './federated/servers.ts'

/**
 * Runs three servers on this machine that trust a test authority, with three users in one room. With `--once`
 * everything is removed as soon as every message has reached every user.
 */

const playground = new Playground()
let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0))

try {
  await show()
} catch (cause) {
  // After a signal, errors of interrupted requests are not of interest.
  if (!isStopping) {
    console.error(cause instanceof Error ? cause.message : cause)
    await stop(1)
  }
}

async function show(): Promise<void> {
  console.log('Starting three servers ...')
  const people: RoomClient[] = []
  for (const name of ['alice', 'bob', 'carol']) {
    const server = await playground.myelin(name)
    people.push(await RoomClient.register(server.url, name))
    console.log(`  ${name}'s is ${server.name}`)
  }
  const room = await meet(people)
  await talk(people, room)
  report(people, room)
  if (process.argv.includes('--once')) return stop(0)
  console.log('\nCtrl-C stops the servers and removes what they wrote.')
}

/** Creates a room on the first server; the others find it by its alias. */
async function meet([first, ...others]: readonly RoomClient[]): Promise<Room> {
  if (!first) throw new Error('no server was started')
  const body = { preset: 'public_chat', name: 'One room on three servers', room_alias_name: 'demo' }
  const room = await first.createRoom(body)
  const alias = `#demo:${first.userId.slice(first.userId.indexOf(':') + 1)}`
  for (const person of others) await person.call('POST', `/join/${encodeURIComponent(alias)}`, {})
  return room
}

/** Lets each user send a message and read all messages. */
async function talk(people: readonly RoomClient[], room: Room): Promise<void> {
  const said: string[] = []
  for (const person of people) {
    said.push(`Hello from ${person.userId}.`)
    await person.say(room, said.at(-1) ?? '')
  }
  for (const person of people) {
    await until(`the messages at ${person.userId}`, async () => {
      const heard = new Set(await person.texts(room))
      return said.every((each) => heard.has(each))
    })
  }
}

function report(people: readonly RoomClient[], room: Room): void {
  console.log(`\nThe room ${room.id} is on three servers, and every message has reached everybody.\n`)
  console.log(`  ${'homeserver'.padEnd(24)} ${'user'.padEnd(26)} password`)
  for (const { base, userId, password } of people) console.log(`  ${base.padEnd(24)} ${userId.padEnd(26)} ${password}`)
}

async function stop(code: number): Promise<void> {
  if (isStopping) return
  isStopping = true
  await playground.close()
  process.exit(code)
}
