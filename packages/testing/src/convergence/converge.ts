// SPDX-License-Identifier: Apache-2.0
import { act, disturb } from './actions.ts'
import { areWhole, isSound, joinedAt, viewOf } from './agreement.ts'
import type { View } from './agreement.ts'
import { causeOf, everythingArrived } from './causes.ts'
import type { Cause } from './causes.ts'
import { openServerPool } from './server-pool.ts'
import { describeDivergence } from './describe-divergence.ts'
import { Simulation } from './simulation.ts'
import type { SyncedUser } from './simulation.ts'

const ACTS = 25
/**
 * Each message names all forward extremities. Another user of each server sends in each round, in case one is not
 * allowed to.
 */
const CLOSING_ROUNDS = 3

/** The result of a simulation. */
export interface Outcome {
  /** Servers that are in the room at the end. */
  readonly servers: number
  /** Why pairs of them see two rooms, where the protocol has no cure for it: proven, one for each pair. */
  readonly causes: readonly Cause[]
  readonly events: number
}

/** The number of simulations that share a server pool. */
export const SIMULATIONS_PER_POOL = 10

/** The simulations to run. */
export interface SimulationSeries {
  /** The seed of the first; each after it has the next. */
  readonly first: number
  readonly count: number
  /** The seed by which reads and writes of the databases are delayed; undefined for no delays. */
  readonly jitter?: string | undefined
  /** Gets every event of a simulation that does not converge. */
  readonly print?: ((line: string) => void) | undefined
}

/**
 * Runs simulations one after the other and yields the result of each.
 *
 * Users on three servers act while their network fails. Then the network heals, and the servers must have the same room
 * state, or a proven cause for the difference; throws otherwise. A seed repeats a simulation, except where the machine decides
 * the order of events.
 */
export async function* converge({ first, count, jitter, print }: SimulationSeries): AsyncGenerator<Outcome> {
  const pool = await openServerPool(jitter)
  try {
    for (let seed = first; seed < first + count; seed++) {
      try {
        yield await lifeOf(await Simulation.found(pool, String(seed)), print)
        // One check is enough: a fault in a database stays there.
        if (seed === first + count - 1) await areWhole(pool.network.servers)
      } catch (cause) {
        const how = jitter === undefined ? '' : ` --jitter ${jitter}`
        const again = `npm run converge -- --from ${seed} --seeds 1${how}`
        const before = seed > first ? ` (or --from ${first} --seeds ${seed - first + 1}, with those before it)` : ''
        throw new Error(`seed ${seed} does not converge; again: ${again}${before}`, { cause })
      }
    }
  } finally {
    pool.network.heal()
    await pool.network.close()
  }
}

async function lifeOf(simulation: Simulation, print?: (line: string) => void): Promise<Outcome> {
  try {
    await live(simulation)
    // Checked before any further message, which would lead to events that did not arrive. Memberships do not change
    // from here on.
    const backTs = simulation.network.clock.now()
    everythingArrived(await viewsOf(simulation), backTs)
    await close(simulation)
    return await compare(simulation, backTs)
  } catch (cause) {
    if (print) for await (const line of describeDivergence(simulation)) print(line)
    throw cause
  }
}

async function live(simulation: Simulation): Promise<void> {
  const { chance } = simulation
  for (let serial = 0; serial < ACTS; serial++) {
    if (chance.share() < 0.25) disturb(simulation)
    simulation.begin(act(simulation, serial))
    if (chance.share() < 0.7) await simulation.pass(chance.below(4) * 500)
    if (chance.share() < 0.3) simulation.begin(chance.pick(simulation.users).client.sync())
  }
  simulation.network.heal()
  await simulation.calm()
}

async function close(simulation: Simulation): Promise<void> {
  for (let round = 0; round < CLOSING_ROUNDS; round++) {
    for (const server of simulation.network.servers) {
      const joined = await joinedAt(simulation, server)
      const speaker = joined[round % joined.length]
      if (!speaker) continue
      await simulation.ask(speaker, 'PUT', `send/m.room.message/closing${round}`, {
        msgtype: 'm.text',
        body: 'here I am',
      })
      await simulation.calm()
    }
  }
  for (const server of simulation.network.servers) await readBack(simulation, await joinedAt(simulation, server))
  await simulation.calm()
}

/** Pages through the whole room, so that missing events are backfilled. */
async function readBack(simulation: Simulation, [reader]: readonly SyncedUser[]): Promise<void> {
  if (!reader) return
  for (let from = ''; ; ) {
    const { body } = await simulation.during(simulation.ask(reader, 'GET', `messages?dir=b&limit=100${from}`))
    if (typeof body['end'] !== 'string') return
    from = `&from=${body['end']}`
  }
}

/** Returns the views of all servers, each checked for consistency with itself. */
async function viewsOf(simulation: Simulation): Promise<View[]> {
  const views: View[] = []
  for (const server of simulation.network.servers) {
    const view = await viewOf(simulation, server)
    await isSound(simulation, view)
    views.push(view)
  }
  return views
}

async function compare(simulation: Simulation, backTs: number): Promise<Outcome> {
  const all = await viewsOf(simulation)
  everythingArrived(all, backTs)
  const views = all.filter(({ joined }) => joined.length > 0)
  const pairs = views.flatMap((one, at) => views.slice(at + 1).map((other) => [one, other] as const))
  const causes = pairs.flatMap(([one, other]) => causeOf(one, other, views) ?? [])
  return { servers: views.length, causes, events: Math.max(0, ...views.map(({ shown }) => shown.size)) }
}
