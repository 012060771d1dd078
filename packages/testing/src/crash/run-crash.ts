// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events'
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Ledger, readLedger } from './ledger.ts'
import type { Deed } from './ledger.ts'
import type { Observation } from './observation.ts'
import type { SimulatedServers } from '../fedsim/simulated-servers.ts'
import type { OwnServer } from '../processes/server-process.ts'
import { chanceOf } from '../chance.ts'
import type { Chance } from '../chance.ts'
import { RoomAbroad } from './remote-room.ts'
import { dieAgainAndAgain } from './kill-schedule.ts'
import type { Deaths, Dying } from './kill-schedule.ts'
import { Follower } from './sync-follower.ts'
import { lookUp, readMedia, readRooms } from './read-back.ts'
import { buildTown } from './population.ts'
import type { Town } from './population.ts'
import { carryOut, claim, liveOn } from './traffic.ts'
import type { Traffic } from './traffic.ts'

/** A run: the same seed kills at the same instants, as far as a machine can. */
export interface CrashPlan extends Deaths {
  /** Another server, where one takes part. */
  readonly servers: SimulatedServers | undefined
  readonly seed: string
  readonly users: number
  readonly rooms: number
  /** The mean pause of a user between two acts. */
  readonly thinkMs: number
  /** How long the server may take to be healthy again. */
  readonly recoveryLimitMs: number
}

/** What a run leaves to judge. */
export interface CrashRun {
  readonly deeds: readonly Deed[]
  readonly seen: Observation
  readonly town: Pick<Town, 'hasToDevice' | 'hasKeys'>
  readonly reached: Dying['reached']
}

/** Lets a town live on a server that is killed again and again, and reads everything back. */
export async function runCrash(server: OwnServer, plan: CrashPlan): Promise<CrashRun> {
  const chance = chanceOf(plan.seed)
  plan.progress('making users and rooms', 0)
  const town = await buildTown(server, plan, chance)
  const abroad = plan.servers && (await RoomAbroad.enter(plan.servers, server))
  const file = join(server.folder, 'ledger.jsonl')
  const descriptor = openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_DSYNC)
  const ledger = new Ledger((line) => writeSync(descriptor, line))
  const audit = new Follower(town.auditor, { limit: 1000, format: 'federation' })
  const followers = town.users.map((user) => new Follower(user, { limit: chance.pick([2, 10, 50]), format: 'client' }))
  const all = [audit, ...followers]
  for (const each of all) await each.begin()
  const following = Promise.all(all.map((each) => each.follow()))

  const tempo = new EventEmitter<{ surge: []; stop: [] }>().setMaxListeners(0)
  const traffic = { town, ledger, tempo, thinkMs: plan.thinkMs }
  const living = Promise.all(town.users.map((user) => liveOn(traffic, user, chanceOf(`${plan.seed} ${user.userId}`))))
  const talking = abroad?.talk(tempo, chanceOf(`${plan.seed} abroad`))
  const { recoveriesMs, reached } = await dieAgainAndAgain(server, plan, tempo, chance)
  tempo.emit('stop')
  plan.progress('waiting for the last answers', 1)
  await living
  await talking
  for (const each of all) each.stop()
  await following
  if (town.hasKeys) await drain(traffic, chance)
  closeSync(descriptor)

  plan.progress('reading everything back', 1)
  const deeds = readLedger(readFileSync(file, 'utf8'))
  const rooms = await readRooms(town, audit)
  const resumptions = (await Promise.all(followers.map((each) => each.resume()))).flat()
  const { id: keyId, publicKey } = server.signingKey
  const seen = {
    rooms,
    streams: followers.flatMap(({ streams }) => streams),
    resumptions,
    lookups: await lookUp(town.rooms, rooms, deeds, chance),
    toDevice: followers.map(({ client, toDevice }) => ({ user: client.userId, markers: toDevice })),
    abroad: await abroad?.result(),
    media: await readMedia(town.auditor, deeds),
    signer: { serverName: server.serverName, keyId, publicKey },
    recoveriesMs,
    recoveryLimitMs: plan.recoveryLimitMs,
  }
  for (const user of [town.auditor, ...town.users]) user.close()
  return { deeds, seen, town, reached }
}

/** Claims whatever one-time keys are left, so that a lost one shows. */
async function drain(traffic: Traffic, chance: Chance): Promise<void> {
  for (const user of traffic.town.users) {
    for (;;) {
      const given = await carryOut(traffic, user, chance, claim(user))
      if (given && (given.keys ?? []).length === 0) break
    }
  }
}
