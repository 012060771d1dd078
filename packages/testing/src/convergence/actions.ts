// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { roomTail } from '@myelin/storage/rooms/events/events'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { SyncedUser, Simulation } from './simulation.ts'

type Act = (simulation: Simulation, who: SyncedUser, serial: number) => Promise<unknown>

const viaOthers = (simulation: Simulation): string =>
  simulation.network.servers.map(({ name }) => `via=${name}`).join('&')

const put =
  (type: string, contentOf: (simulation: Simulation, serial: number) => JsonObject): Act =>
  (simulation, who, serial) =>
    simulation.ask(who, 'PUT', `state/${type}/`, contentOf(simulation, serial))

const onSomebody =
  (what: string): Act =>
  (simulation, who) =>
    simulation.ask(who, 'POST', what, { user_id: simulation.chance.pick(simulation.users).userId })

const say: Act = (simulation, who, serial) =>
  simulation.ask(who, 'PUT', `send/m.room.message/t${serial}`, { msgtype: 'm.text', body: `message ${serial}` })

const join: Act = (simulation, who) =>
  simulation.ask(
    who,
    'POST',
    `/_matrix/client/v3/join/${encodeURIComponent(simulation.roomId)}?${viaOthers(simulation)}`,
  )

const leave: Act = (simulation, who) => simulation.ask(who, 'POST', 'leave')

const rename: Act = (simulation, who, serial) =>
  simulation.ask(who, 'PUT', `/_matrix/client/v3/profile/${encodeURIComponent(who.userId)}/displayname`, {
    displayname: `called ${serial}`,
  })

const redact: Act = async (simulation, who, serial) => {
  const share = simulation.chance.share()
  const { read } = who.server.rt.db
  const row = await roomById(read, simulation.roomId)
  const tail = await roomTail(read, simulation.roomId, row?.lastPosition ?? 0)
  const target = tail[Math.floor(share * Math.min(tail.length, 12))]
  // The create event and the creator's power stay, so that some user can always send.
  if (!target || target.pdu.type === 'm.room.create') return undefined
  return simulation.ask(who, 'PUT', `redact/${encodeURIComponent(target.pdu.id)}/r${serial}`)
}

const empower: Act = async (simulation, who) => {
  const [whom, level] = [simulation.chance.pick(simulation.users), simulation.chance.pick([0, 25, 50, 50, 75, 100])]
  const { status, body } = await simulation.ask(who, 'GET', 'state/m.room.power_levels/')
  if (status !== 200) return undefined
  const users = { ...(body['users'] as JsonObject), [whom.userId]: level }
  return simulation.ask(who, 'PUT', 'state/m.room.power_levels/', { ...(body as JsonObject), users })
}

const ACTS: readonly [Act, ...Act[]] = [
  say,
  say,
  say,
  say,
  put('m.room.topic', (_, serial) => ({ topic: `topic ${serial}` })),
  put('m.room.topic', (_, serial) => ({ topic: `topic ${serial}` })),
  put('m.room.name', (_, serial) => ({ name: `name ${serial}` })),
  put('m.room.join_rules', (simulation) => ({ join_rule: simulation.chance.pick(['public', 'public', 'invite']) })),
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

/** Lets a random user take a random action, which the rules may refuse. */
export async function act(simulation: Simulation, serial: number): Promise<void> {
  const [who, what] = [simulation.chance.pick(simulation.users), simulation.chance.pick(ACTS)]
  await what(simulation, who, serial)
}

/** Changes what the network does to requests. */
export function disturb({ network, chance }: Simulation): void {
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
