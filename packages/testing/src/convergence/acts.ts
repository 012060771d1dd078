// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { roomTail } from '@myelin/storage/rooms/events/events'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { Citizen, Town } from './town.ts'

type Act = (town: Town, who: Citizen, serial: number) => Promise<unknown>

const viaOthers = (town: Town): string => town.network.servers.map(({ name }) => `via=${name}`).join('&')

const put =
  (type: string, contentOf: (town: Town, serial: number) => JsonObject): Act =>
  (town, who, serial) =>
    town.ask(who, 'PUT', `state/${type}/`, contentOf(town, serial))

const onSomebody =
  (what: string): Act =>
  (town, who) =>
    town.ask(who, 'POST', what, { user_id: town.chance.pick(town.citizens).userId })

const say: Act = (town, who, serial) =>
  town.ask(who, 'PUT', `send/m.room.message/t${serial}`, { msgtype: 'm.text', body: `message ${serial}` })

const join: Act = (town, who) =>
  town.ask(who, 'POST', `/_matrix/client/v3/join/${encodeURIComponent(town.roomId)}?${viaOthers(town)}`)

const leave: Act = (town, who) => town.ask(who, 'POST', 'leave')

const rename: Act = (town, who, serial) =>
  town.ask(who, 'PUT', `/_matrix/client/v3/profile/${encodeURIComponent(who.userId)}/displayname`, {
    displayname: `called ${serial}`,
  })

const redact: Act = async (town, who, serial) => {
  const share = town.chance.share()
  const { read } = who.server.rt.db
  const row = await roomById(read, town.roomId)
  const tail = await roomTail(read, town.roomId, row?.lastPosition ?? 0)
  const target = tail[Math.floor(share * Math.min(tail.length, 12))]
  // What a room stands on stays whole, or nobody would be left to talk.
  if (!target || target.pdu.type === 'm.room.create') return undefined
  return town.ask(who, 'PUT', `redact/${encodeURIComponent(target.pdu.id)}/r${serial}`)
}

const empower: Act = async (town, who) => {
  const [whom, level] = [town.chance.pick(town.citizens), town.chance.pick([0, 25, 50, 50, 75, 100])]
  const { status, body } = await town.ask(who, 'GET', 'state/m.room.power_levels/')
  if (status !== 200) return undefined
  const users = { ...(body['users'] as JsonObject), [whom.userId]: level }
  return town.ask(who, 'PUT', 'state/m.room.power_levels/', { ...(body as JsonObject), users })
}

const ACTS: readonly [Act, ...Act[]] = [
  say,
  say,
  say,
  say,
  put('m.room.topic', (_, serial) => ({ topic: `topic ${serial}` })),
  put('m.room.topic', (_, serial) => ({ topic: `topic ${serial}` })),
  put('m.room.name', (_, serial) => ({ name: `name ${serial}` })),
  put('m.room.join_rules', (town) => ({ join_rule: town.chance.pick(['public', 'public', 'invite']) })),
  empower,
  empower,
  onSomebody('kick'),
  onSomebody('ban'),
  onSomebody('unban'),
  onSomebody('unban'),
  onSomebody('invite'),
  onSomebody('invite'),
  join,
  join,
  join,
  leave,
  redact,
  rename,
]

/** Lets somebody do something, as chance has it; what the rules refuse is part of life. */
export async function act(town: Town, serial: number): Promise<void> {
  const [who, what] = [town.chance.pick(town.citizens), town.chance.pick(ACTS)]
  await what(town, who, serial)
}

/** Changes what the network does to requests. */
export function disturb({ network, chance }: Town): void {
  const [one, two, three] = network.servers.map(({ name }) => name)
  if (!one || !two || !three) return
  const cuts = [
    [[one], [two, three]],
    [[two], [one, three]],
    [[three], [one, two]],
    [[one], [two], [three]],
  ] as const
  network.heal()
  if (chance.share() < 0.6) network.setFaults({ loss: chance.share() * 0.5, delayMs: chance.pick([0, 500, 3000]) })
  if (chance.share() < 0.6) network.partition(...chance.pick(cuts))
}
