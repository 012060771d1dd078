// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { Room, until } from '@myelin/testing/clients/room-client'
import type { ClientEvent, RoomClient } from '@myelin/testing/clients/room-client'
import type { Pair } from './scenarios.ts'

/** So often something happens on either side while the two are apart. */
const PACE_MS = 20_000
const CATCH_UP_MS = 300_000

/** The switch that partitions two servers and reconnects them. */
export interface Parting {
  readonly part: () => void
  readonly rejoin: () => void
}

/**
 * Separates two servers with a room each for a long time, while users on both sides talk, edit, redact and set state. Then
 * both must have all events and the same state.
 */
export async function longPartition(pairs: readonly Pair[], { part, rejoin }: Parting, minutes: number): Promise<void> {
  const rooms = await Promise.all(pairs.map(shared))
  part()
  const lived = await Promise.all(
    pairs.map(({ here, there }, at) =>
      Promise.all([here, there].map((who) => live(who, rooms[at] ?? new Room(''), minutes))),
    ),
  )
  rejoin()
  for (const [at, pair] of pairs.entries()) {
    const [room, [ours = [], theirs = []] = []] = [rooms[at], lived[at]]
    if (room) await comeTogether(pair, room, { ours, theirs })
  }
}

/** Creates a room in which users of both servers have power. */
async function shared({ here, there }: Pair): Promise<Room> {
  const room = await here.createRoom({ preset: 'public_chat' })
  const via = encodeURIComponent(here.userId.slice(here.userId.indexOf(':') + 1))
  await there.call('POST', `/join/${encodeURIComponent(room.id)}?server_name=${via}`, {})
  const powers = await here.state(room, 'm.room.power_levels')
  const users = { ...(powers?.['users'] as object), [there.userId]: 50 }
  await here.setState(room, 'm.room.power_levels', { ...powers, users })
  await until('power for both', async () => (await powerOf(there, room)) === 50)
  return room
}

async function comeTogether(
  { here, there }: Pair,
  room: Room,
  { ours, theirs }: { readonly ours: readonly string[]; readonly theirs: readonly string[] },
): Promise<void> {
  // The first transaction wakes the other server, which fetches the events it missed.
  await here.say(room, 'is anybody there?')
  await there.say(room, 'here I am')
  for (const [who, events] of [
    [there, ours],
    [here, theirs],
  ] as const) {
    await until(`all events at ${who.userId}`, () => hasAll(who, room, events), CATCH_UP_MS)
  }
  await until('the same state on both', () => haveTheSameState(here, there, room), CATCH_UP_MS)
}

/** Lets a user act for some time; returns the events. */
async function live(who: RoomClient, room: Room, minutes: number): Promise<readonly string[]> {
  const events: string[] = []
  const turns = Math.max(2, Math.round((minutes * 60_000) / PACE_MS))
  for (let turn = 0; turn < turns; turn++) {
    const said = await who.say(room, `turn ${turn}`)
    events.push(said)
    if (turn % 3 === 0) events.push(await who.setState(room, 'm.room.topic', { topic: `${who.userId} ${turn}` }))
    if (turn % 4 === 1) {
      const edit = { msgtype: 'm.text', body: '*', 'm.new_content': { msgtype: 'm.text', body: 'edited' } }
      const relation = { 'm.relates_to': { rel_type: 'm.replace', event_id: said } }
      events.push(await who.sendEvent(room, 'm.room.message', { ...edit, ...relation }))
    }
    if (turn % 5 === 2) {
      const path = `${room.path}/redact/${encodeURIComponent(said)}/redaction${turn}`
      events.push(String((await who.call('PUT', path, {}))['event_id']))
    }
    await delay((minutes * 60_000) / turns)
  }
  events.push(await who.setState(room, 'm.room.name', { name: `named by ${who.userId}` }))
  return events
}

/** Pages through a room to its beginning, because the server backfills a long gap on demand only. */
async function hasAll(who: RoomClient, room: Room, events: readonly string[]): Promise<boolean> {
  const missing = new Set(events)
  for (let from = ''; ; ) {
    const page = await who.call('GET', `${room.path}/messages?dir=b&limit=50${from}`)
    for (const { event_id: id } of page['chunk'] as readonly ClientEvent[]) missing.delete(id)
    if (missing.size === 0) return true
    if (typeof page['end'] !== 'string') return false
    from = `&from=${encodeURIComponent(page['end'])}`
  }
}

async function haveTheSameState(here: RoomClient, there: RoomClient, room: Room): Promise<boolean> {
  const [one, other] = await Promise.all([stateOf(here, room), stateOf(there, room)])
  return one.size === other.size && [...one].every(([key, id]) => other.get(key) === id)
}

async function stateOf(who: RoomClient, room: Room): Promise<ReadonlyMap<string, string>> {
  const events = (await who.call('GET', `${room.path}/state`)) as unknown as readonly ClientEvent[]
  return new Map(events.map((event) => [`${event.type} ${event.state_key}`, event.event_id]))
}

async function powerOf(who: RoomClient, room: Room): Promise<unknown> {
  const content = await who.state(room, 'm.room.power_levels')
  return (content?.['users'] as Readonly<Record<string, unknown>> | undefined)?.[who.userId]
}
