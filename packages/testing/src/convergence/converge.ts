// SPDX-License-Identifier: Apache-2.0
import { act, disturb } from './acts.ts'
import { areWhole, isSound, joinedAt, viewOf } from './agreement.ts'
import type { View } from './agreement.ts'
import { causeOf, everythingArrived } from './causes.ts'
import type { Cause } from './causes.ts'
import { prepareGround } from './ground.ts'
import { show } from './show.ts'
import { Town } from './town.ts'
import type { Citizen } from './town.ts'

const ACTS = 25
/** Whoever speaks names all heads. Another of each server each time: where one is not heard, the next may be. */
const CLOSING_ROUNDS = 3

/** What came of a town. */
export interface Outcome {
  /** Servers that are in the room at the end. */
  readonly servers: number
  /** Why pairs of them see two rooms, where the protocol has no cure for it: proven, one for each pair. */
  readonly causes: readonly Cause[]
  readonly events: number
}

/** So many towns are founded on the same ground. */
export const TOWNS_PER_GROUND = 10

/** Which towns are founded. */
export interface Towns {
  /** The seed of the first; each after it has the next. */
  readonly first: number
  readonly count: number
  /** Where given, what servers read and write comes late, by this seed. */
  readonly jitter?: string | undefined
  /** Gets every event of a town that does not converge. */
  readonly tell?: ((line: string) => void) | undefined
}

/**
 * Lets people on three servers do what they like while their network fails them, heals it, and throws unless all of them
 * have the same then, or something explains why not. One town after the other: a seed and how many follow it give the
 * same again, as far as the machine does not decide what comes first.
 */
export async function* converge({ first, count, jitter, tell }: Towns): AsyncGenerator<Outcome> {
  const ground = await prepareGround(jitter)
  try {
    for (let seed = first; seed < first + count; seed++) {
      try {
        yield await lifeOf(await Town.found(ground, String(seed)), tell)
        // Once is enough: what is wrong on a disk stays wrong.
        if (seed === first + count - 1) await areWhole(ground.network.servers)
      } catch (cause) {
        const how = jitter === undefined ? '' : ` --jitter ${jitter}`
        const again = `npm run converge -- --from ${seed} --seeds 1${how}`
        const before = seed > first ? ` (or --from ${first} --seeds ${seed - first + 1}, with those before it)` : ''
        throw new Error(`seed ${seed} does not converge; again: ${again}${before}`, { cause })
      }
    }
  } finally {
    ground.network.heal()
    await ground.network.close()
  }
}

async function lifeOf(town: Town, tell?: (line: string) => void): Promise<Outcome> {
  try {
    await live(town)
    // Before anybody speaks again: who only hears what others name hears nothing of the last words.
    // From here on nobody comes or goes.
    const backTs = town.network.clock.now()
    everythingArrived(await viewsOf(town), backTs)
    await close(town)
    return await compare(town, backTs)
  } catch (cause) {
    if (tell) for await (const line of show(town)) tell(line)
    throw cause
  }
}

async function live(town: Town): Promise<void> {
  const { chance } = town
  for (let serial = 0; serial < ACTS; serial++) {
    if (chance.share() < 0.25) disturb(town)
    town.begin(act(town, serial))
    if (chance.share() < 0.7) await town.pass(chance.below(4) * 500)
    if (chance.share() < 0.3) town.begin(chance.pick(town.citizens).client.sync())
  }
  town.network.heal()
  await town.calm()
}

async function close(town: Town): Promise<void> {
  for (let round = 0; round < CLOSING_ROUNDS; round++) {
    for (const server of town.network.servers) {
      const joined = await joinedAt(town, server)
      const speaker = joined[round % joined.length]
      if (!speaker) continue
      await town.ask(speaker, 'PUT', `send/m.room.message/closing${round}`, { msgtype: 'm.text', body: 'here I am' })
      await town.calm()
    }
  }
  for (const server of town.network.servers) await readBack(town, await joinedAt(town, server))
  await town.calm()
}

/** Reads the whole room, so that what is missing of it is fetched. */
async function readBack(town: Town, [reader]: readonly Citizen[]): Promise<void> {
  if (!reader) return
  for (let from = ''; ; ) {
    const { body } = await town.during(town.ask(reader, 'GET', `messages?dir=b&limit=100${from}`))
    if (typeof body['end'] !== 'string') return
    from = `&from=${body['end']}`
  }
}

/** What the servers have; each is at peace with itself. */
async function viewsOf(town: Town): Promise<View[]> {
  const views: View[] = []
  for (const server of town.network.servers) {
    const view = await viewOf(town, server)
    await isSound(town, view)
    views.push(view)
  }
  return views
}

async function compare(town: Town, backTs: number): Promise<Outcome> {
  const all = await viewsOf(town)
  everythingArrived(all, backTs)
  const views = all.filter(({ joined }) => joined.length > 0)
  const pairs = views.flatMap((one, at) => views.slice(at + 1).map((other) => [one, other] as const))
  const causes = pairs.flatMap(([one, other]) => causeOf(one, other, views) ?? [])
  return { servers: views.length, causes, events: Math.max(0, ...views.map(({ shown }) => shown.size)) }
}
