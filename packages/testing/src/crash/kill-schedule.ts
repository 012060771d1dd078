// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { CRASH_POINTS } from '@myelin/kit/crash-point'
import type { CrashPoint } from '@myelin/kit/crash-point'
import type { Chance } from '../chance.ts'
import type { ServerProcess } from '../processes/server-process.ts'
import type { PowerLoss } from './power/power-loss.ts'
import type { Traffic } from './traffic.ts'

/** The times and places at which a server is killed. */
export interface KillPlan {
  readonly kills: number
  /** A kill comes so long after the last recovery. */
  readonly calmMs: readonly [number, number]
  /** Places at which it kills itself, each `kills` times; none: it is killed at any instant, `kills` times in all. */
  readonly points: readonly CrashPoint[]
  /** Loses power whenever the server dies, if set. */
  readonly power: PowerLoss | undefined
  readonly progress: (text: string, part: number) => void
}

/** The result of a {@link KillPlan}. */
export interface KillOutcome {
  readonly recoveriesMs: readonly number[]
  /** The number of deaths at each crash point. */
  readonly reached: ReadonlyMap<CrashPoint, number>
}

/** A place that is not reached within this time is tried again, to die there sooner. */
const PATIENCE_MS = 15_000
/** Places that every write passes; the others are passed now and then. */
const BUSY: ReadonlySet<CrashPoint> = new Set(['units run', 'committed', 'synced'])
/** Small enough that the log is copied back several times between two deaths. */
const CHECKPOINT_CHANGES = '400'

/** Returns the crash points that a server with this engine passes. */
export function pointsOf(isEmbedded: boolean): CrashPoint[] {
  return CRASH_POINTS.filter((point) => isEmbedded || !point.startsWith('log '))
}

/** Returns the environment of a server that kills itself at an ordered point and checkpoints often. */
export function rehearsalEnvironment(order?: string): Readonly<Record<string, string>> {
  return {
    NODE_OPTIONS: `--import ${new URL('rehearse.ts', import.meta.url).href}`,
    MYELIN_CHECKPOINT_CHANGES: CHECKPOINT_CHANGES,
    // Batches are small here, so the threshold is lowered for the writer thread to run at each crash point.
    MYELIN_HAND_OVER_FROM: '1',
    ...(order === undefined ? {} : { MYELIN_CRASH_AT: order }),
  }
}

/** Kills and restarts a server until the plan is done. */
export async function killRepeatedly(
  server: ServerProcess,
  plan: KillPlan,
  tempo: Traffic['tempo'],
  chance: Chance,
): Promise<KillOutcome> {
  const recoveriesMs: number[] = []
  const reached = new Map<CrashPoint, number>()
  const rise = async (order?: string) => {
    plan.power?.cut(chance)
    const diedMs = performance.now()
    const isRehearsed = plan.power !== undefined || plan.points.length > 0
    const environment = isRehearsed ? { ...plan.power?.environment, ...rehearsalEnvironment(order) } : {}
    const isUp = await server.restart(environment).then(
      () => true,
      (cause: unknown) => {
        // It may pass the place before it listens; without an order it has no business dying.
        if (order === undefined) throw cause
        return false
      },
    )
    if (isUp) recoveriesMs.push(performance.now() - diedMs)
  }
  const surge = async () => {
    await delay(chance.between(...plan.calmMs))
    tempo.emit('surge')
    await delay(chance.between(0, 30))
  }
  if (plan.points.length === 0) {
    for (let kill = 0; kill < plan.kills; kill++) {
      plan.progress(`${kill} of ${plan.kills} kills`, kill / plan.kills)
      await surge()
      await server.kill()
      await rise()
    }
  }
  const orders = ordersOf(plan, chance)
  if (orders.length > 0) await server.kill()
  for (const [index, { point, passes }] of orders.entries()) {
    plan.progress(`${index} of ${orders.length}: ${point}`, index / orders.length)
    // A slow machine may pass the crash point too rarely in the time limit; then the server dies at an earlier pass.
    for (let left = passes; ; left = Math.floor(left / 4)) {
      await rise(`${left} ${point}`)
      const hasDied = await diesBy(server, tempo)
      if (hasDied) reached.set(point, (reached.get(point) ?? 0) + 1)
      else await server.kill()
      if (hasDied || left === 0) break
    }
  }
  if (orders.length > 0) await rise()
  await delay(plan.calmMs[0])
  return { recoveriesMs, reached }
}

/** Returns whether the server exits within the time limit. */
async function diesBy(server: ServerProcess, tempo: Traffic['tempo']): Promise<boolean> {
  const over = new AbortController()
  const late = delay(PATIENCE_MS, false, { signal: over.signal }).catch(() => false)
  const hurry = setInterval(() => tempo.emit('surge'), 300)
  const hasDied = await Promise.race([server.ended().then(() => true), late])
  clearInterval(hurry)
  over.abort()
  return hasDied
}

/** Returns each crash point `kills` times, in random order, with the number of passes before the kill. */
function ordersOf({ points, kills }: KillPlan, chance: Chance): { point: CrashPoint; passes: number }[] {
  const orders = points.flatMap((point) =>
    Array.from({ length: kills }, () => ({
      point,
      passes: Math.floor(chance.between(0, BUSY.has(point) ? 150 : 4)),
      place: chance.part(),
    })),
  )
  return orders.toSorted((a, b) => a.place - b.place)
}
