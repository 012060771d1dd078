// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events'
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Ledger, readLedger } from './record/ledger.ts'
import type { Deed } from './record/ledger.ts'
import type { Observation } from './record/observation.ts'
import type { TlsServers } from '../fake-servers/tls-servers.ts'
import type { ServerProcess } from '../processes/server-process.ts'
import { chanceOf } from '../chance.ts'
import type { Chance } from '../chance.ts'
import { RemoteRoom } from './remote-room.ts'
import { killRepeatedly } from './kill-schedule.ts'
import type { KillPlan, KillOutcome } from './kill-schedule.ts'
import { SyncFollower } from './sync-follower.ts'
import { lookUp, readMedia, readRooms } from './read-back.ts'
import { startPushReceiver } from './push-receiver.ts'
import { createPopulation } from './population.ts'
import type { Population } from './population.ts'
import { perform, claim, runUser } from './traffic.ts'
import type { Traffic } from './traffic.ts'

/** A run: the same seed kills at the same instants, as far as a machine can. */
export interface CrashPlan extends KillPlan {
  /** Another server, where one takes part. */
  readonly servers: TlsServers | undefined
  readonly seed: string
  readonly users: number
  readonly rooms: number
  /** The mean pause of a user between two acts. */
  readonly thinkMs: number
  /** The maximum duration of a recovery. */
  readonly recoveryLimitMs: number
}

/** The result of a run, for the judge. */
export interface CrashRun {
  readonly deeds: readonly Deed[]
  readonly seen: Observation
  readonly population: Pick<Population, 'hasToDevice' | 'hasKeys'>
  readonly reached: KillOutcome['reached']
}

/** A push that does not come within this time is lost. */
const QUIET_MS = 3_000

/** Runs the traffic of a population on a server that is killed repeatedly, and reads everything back. */
export async function runCrash(server: ServerProcess, plan: CrashPlan): Promise<CrashRun> {
  const chance = chanceOf(plan.seed)
  plan.progress('making users and rooms', 0)
  const population = await createPopulation(server, plan, chance)
  const receiver = await startPushReceiver()
  await receiver.serve([population.auditor, population.listener])
  const remoteRoom = plan.servers && (await RemoteRoom.enter(plan.servers, server))
  const file = join(server.folder, 'ledger.jsonl')
  const descriptor = openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_DSYNC)
  const ledger = new Ledger((line) => writeSync(descriptor, line))
  const audit = new SyncFollower(population.auditor, { limit: 1000, format: 'federation' })
  const followers = population.users.map(
    (user) => new SyncFollower(user, { limit: chance.pick([2, 10, 50]), format: 'client' }),
  )
  const all = [audit, ...followers]
  for (const each of all) await each.begin()
  const following = Promise.all(all.map((each) => each.follow()))

  const tempo = new EventEmitter<{ surge: []; stop: [] }>().setMaxListeners(0)
  const traffic = { population, ledger, tempo, thinkMs: plan.thinkMs }
  const living = Promise.all(
    population.users.map((user) => runUser(traffic, user, chanceOf(`${plan.seed} ${user.userId}`))),
  )
  const talking = remoteRoom?.talk(tempo, chanceOf(`${plan.seed} remoteRoom`))
  const { recoveriesMs, reached } = await killRepeatedly(server, plan, tempo, chance)
  tempo.emit('stop')
  plan.progress('waiting for the last answers', 1)
  await living
  await talking
  for (const each of all) each.stop()
  await following
  if (population.hasKeys) await drain(traffic, chance)
  closeSync(descriptor)

  plan.progress('waiting for the last pushes', 1)
  await receiver.quiet(QUIET_MS)
  plan.progress('reading everything back', 1)
  const deeds = readLedger(readFileSync(file, 'utf8'))
  const rooms = await readRooms(population, audit)
  const resumptions = (await Promise.all(followers.map((each) => each.resume()))).flat()
  const { id: keyId, publicKey } = server.signingKey
  const seen = {
    rooms,
    streams: followers.flatMap(({ streams }) => streams),
    resumptions,
    lookups: await lookUp(population.rooms, rooms, deeds, chance),
    toDevice: followers.map(({ client, toDevice }) => ({ user: client.userId, markers: toDevice })),
    remoteRoom: await remoteRoom?.result(),
    pushes: receiver.pushes(),
    media: await readMedia(population.auditor, deeds),
    signer: { serverName: server.serverName, keyId, publicKey },
    recoveriesMs,
    recoveryLimitMs: plan.recoveryLimitMs,
  }
  for (const user of [population.auditor, population.listener, ...population.users]) user.close()
  await receiver.close()
  return { deeds, seen, population, reached }
}

/** Claims all remaining one-time keys, so that a lost one shows. */
async function drain(traffic: Traffic, chance: Chance): Promise<void> {
  for (const user of traffic.population.users) {
    for (;;) {
      const given = await perform(traffic, user, chance, claim(user))
      if (given && (given.keys ?? []).length === 0) break
    }
  }
}
