// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { parseJson } from '@myelin/matrix/parse-json'
import type { Read, Tx } from '@myelin/storage/engine/database'
import { isServerAllowed } from '@myelin/rules/server-acl'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { versionOfPendingJoin } from '@myelin/storage/federation/pending-joins'
import { roomById } from '@myelin/storage/rooms/rooms'
import { roomsToResolve } from '@myelin/storage/rooms/append/resolved-state'
import {
  heldOf,
  holdPdus,
  nextRetry,
  roomsWithStagedPdus,
  stagedPdus,
  unstagePdus,
  unstageRoom,
} from '@myelin/storage/federation/staged-pdus'
import type { StagedPdu } from '@myelin/storage/federation/staged-pdus'
import { topics } from '@myelin/storage/engine/topics'
import { shownContent } from '../../room-state/shown-state.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { mergeForwardExtremities } from '../append/merge-extremities.ts'
import { isResident } from '../../room-state/servers-around.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import { parseIncoming } from './check-incoming.ts'
import type { Checker } from './check-incoming.ts'
import { joinsCountSince } from './max-join.ts'
import { receivePdus } from './receive-pdus.ts'
import { endResolutions, ResolutionTooLong } from '../resolution/resolutions.ts'
import { resolveForkedRoom } from './resolve-forked-room.ts'

/** The cache topic touched when events are staged. */
export const STAGED = 'staged pdus'
const BATCH = 50
const RETRY_MS = 60_000
/** The delay before the first retry; it doubles with each further one. */
const MIN_RETRY_MS = 10_000
const MAX_RETRY_MS = 3_600_000
const MAX_TRIES = 12
/** The most retries where the server answers and lacks the missing events: later events bring them, or nothing does. */
const MAX_ANSWERED_TRIES = 4
/** The most events that await a retry, of one server and altogether; server names cost a domain's owner nothing. */
const MAX_HELD = { own: 500, all: 10_000 }
/** The most rooms that are settled at a time, and the fewest events judged before a busy room is settled. */
const MAX_UNSETTLED = 1000
const JUDGED_UNSETTLED = 200

type Needs = Checker & Pick<Runtime, 'bus' | 'random'>

/**
 * Judges the events of the staging table, in order within a room and concurrently across rooms, and resolves the
 * forward extremities of forked rooms.
 *
 * Events of a room with a pending join wait for it, and are dropped where it fails. Events whose prerequisites could
 * not be fetched because their server was unreachable are retried: no other server may ever refer to them.
 *
 * It has no state of its own: unfinished events are still staged at the next start.
 */
export class Inbound {
  readonly #rt: Needs
  readonly #rooms = new Map<RoomId, Promise<void>>()
  readonly #stopListening: () => void
  #isStopped = false
  #scan: Promise<void> | undefined
  /** Events were staged during the scan, or for rooms in progress. */
  #isLate = false
  readonly #late = new Set<RoomId>()
  #timer: Timer | undefined

  constructor(rt: Needs) {
    this.#rt = rt
    this.#stopListening = rt.bus.wait([STAGED, topics.unsettled], () => this.#look())
    this.#look()
  }

  /** Resolves when every staged event has been judged. */
  async settled(): Promise<void> {
    await this.#scan
    await Promise.all(this.#rooms.values())
    if (this.#isStopped || (await this.#waiting()).length === 0) return
    this.#look()
    await this.settled()
  }

  /** Finishes the events in progress and starts no others. */
  async close(): Promise<void> {
    this.#isStopped = true
    this.#stopListening()
    await this.#scan
    this.#timer?.cancel()
    await Promise.all(this.#rooms.values())
    await endResolutions(this.#rt.db)
  }

  #look(): void {
    this.#isLate = this.#scan !== undefined
    this.#scan ??= this.#startRooms().finally(() => {
      this.#scan = undefined
      if (this.#isLate && !this.#isStopped) this.#look()
    })
  }

  async #waiting(): Promise<RoomId[]> {
    const { read } = this.#rt.db
    const staged = await roomsWithStagedPdus(read, this.#rt.clock.now(), joinsCountSince(this.#rt))
    return [...new Set([...staged, ...(await roomsToResolve(read, MAX_UNSETTLED))])]
  }

  async #startRooms(): Promise<void> {
    try {
      for (const roomId of await this.#waiting()) this.#start(roomId)
      await this.#lookAgain()
    } catch (cause) {
      this.#failed(cause)
    }
  }

  /** Schedules the next retry. */
  async #lookAgain(): Promise<void> {
    const { clock, db } = this.#rt
    const nowTs = clock.now()
    const retryTs = await nextRetry(db.read, nowTs)
    this.#timer?.cancel()
    if (retryTs === undefined || this.#isStopped) return
    this.#timer = clock.later(retryTs - nowTs, () => this.#look())
  }

  #start(roomId: RoomId): void {
    if (this.#isStopped) return
    if (this.#rooms.has(roomId)) {
      this.#late.add(roomId)
      return
    }
    const work = this.#workOff(roomId).catch((cause: unknown) => this.#failed(cause))
    this.#rooms.set(
      roomId,
      work.finally(() => {
        this.#rooms.delete(roomId)
        if (this.#late.delete(roomId)) this.#start(roomId)
      }),
    )
  }

  async #workOff(roomId: RoomId): Promise<void> {
    for (let judged = 0; !this.#isStopped; ) {
      const staged = await stagedPdus(this.#rt.db.read, roomId, this.#rt.clock.now(), BATCH)
      if (staged.length === 0 || (await isAwaited(this.#rt.db.read, this.#rt, roomId))) {
        const room = await roomById(this.#rt.db.read, roomId)
        if (!room || (room.extremityCount < 2 && !room.isUnsettled)) return
        await mergeForwardExtremities(this.#rt, roomId)
        return this.#settle(roomId)
      }
      // A steady stream of events must not keep a forked room from being settled.
      if (judged >= JUDGED_UNSETTLED && (await isSettleDue(this.#rt.db.read, roomId, judged))) {
        await this.#settle(roomId)
        judged = 0
      }
      judged += staged.length
      await receiveStaged(this.#rt, roomId, staged).catch((cause: unknown) => this.#oneByOne(roomId, staged, cause))
    }
  }

  /**
   * Resolves the state of a forked room. Where that is too expensive, the room keeps its state, and its events are
   * judged all the same.
   */
  async #settle(roomId: RoomId): Promise<void> {
    try {
      await resolveForkedRoom(this.#rt, roomId)
    } catch (cause) {
      if (!(cause instanceof ResolutionTooLong)) throw cause
      this.#rt.log.warn({ err: cause, roomId }, 'a forked room keeps its earlier state')
    }
  }

  /**
   * Judges the events of a failed batch one by one and drops those that still fail, so that one faulty event does not
   * block its room. Where the database failed, dropping fails as well and all events stay staged.
   */
  async #oneByOne(roomId: RoomId, staged: readonly StagedPdu[], cause: unknown): Promise<void> {
    this.#rt.log.error({ err: cause, roomId }, 'judging a batch of events failed; retrying them one by one')
    for (const each of staged) {
      if (this.#isStopped) return
      await receiveStaged(this.#rt, roomId, [each]).catch(async (reason: unknown) => {
        await this.#rt.db.write((tx) => unstagePdus(tx, [each.nid]))
        this.#rt.log.error({ err: reason, roomId, origin: each.origin }, 'an event could not be judged and was dropped')
      })
    }
  }

  #failed(cause: unknown): void {
    if (this.#isStopped) return
    this.#rt.log.error({ err: cause }, 'judging staged events failed')
    this.#rt.clock.later(RETRY_MS, () => this.#look())
  }
}

/**
 * Returns whether a busy room is due for settling: its cost grows with the number of extremities, and so does the
 * number of events before it.
 */
async function isSettleDue(db: Read, roomId: RoomId, judged: number): Promise<boolean> {
  const room = await roomById(db, roomId)
  return room !== undefined && room.isUnsettled && judged >= room.extremityCount
}

/** Judges staged events of one room, up to the first from another server. */
async function receiveStaged(rt: Needs, roomId: RoomId, staged: readonly StagedPdu[]): Promise<void> {
  const [first] = staged
  if (!first) return
  const run = staged.slice(0, staged.findIndex(({ origin }) => origin !== first.origin) >>> 0)
  const room = await roomById(rt.db.read, roomId)
  if (!room || !(await isResident(rt, roomId, room))) return rt.db.write((tx) => unstageLost(tx, rt, roomId))
  const version = roomVersionOf(room.roomVersion)
  const parsed = run.flatMap(({ nid, tries, pdu }) => {
    const result = parseIncoming(parseJson(pdu, { keepNumbers: true }), { roomId, version })
    return 'pdu' in result ? [{ nid, tries, pdu: result.pdu }] : []
  })
  const pdus: Pdu[] = parsed.map(({ pdu }) => pdu)
  const nids = run.map(({ nid }) => nid)
  // Events staged before the join were not checked against the room's server ACL yet.
  const acl = await shownContent(rt.db.read, { version, stateRoot: room.stateRoot }, 'm.room.server_acl')
  if (!isServerAllowed(first.origin, acl)) return rt.db.write((tx) => unstagePdus(tx, nids))
  await receivePdus(rt, { server: first.origin, roomId, version }, pdus, async (tx, open) => {
    const held = parsed.filter(({ pdu }) => open.ids.has(pdu.id))
    await hold(tx, rt, held, { origin: first.origin, mostTries: open.isOutage ? MAX_TRIES : MAX_ANSWERED_TRIES })
    const isHeld = new Set(held.map(({ nid }) => nid))
    await unstagePdus(
      tx,
      nids.filter((nid) => !isHeld.has(nid)),
    )
  })
}

/** Schedules events for a retry; above the limit, drops the newest, which lead to the others. */
async function hold(
  tx: Tx,
  { clock }: Needs,
  waiting: readonly Pick<StagedPdu, 'nid' | 'tries'>[],
  { origin, mostTries }: { readonly origin: ServerName; readonly mostTries: number },
): Promise<void> {
  if (waiting.length === 0) return
  const fresh = waiting.filter(({ tries }) => tries === 0)
  const { own, all } = await heldOf(tx, origin, MAX_HELD)
  const left = Math.min(MAX_HELD.own - own, MAX_HELD.all - all)
  const dropped = fresh.slice(0, Math.max(0, fresh.length - left))
  const kept = waiting.filter((each) => !dropped.includes(each))
  for (const tries of new Set(kept.map((each) => each.tries))) {
    const nids = kept.filter((each) => each.tries === tries).map(({ nid }) => nid)
    const retryTs = clock.now() + Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** tries)
    await holdPdus(tx, nids, retryTs, mostTries)
  }
  await unstagePdus(
    tx,
    dropped.map(({ nid }) => nid),
  )
  tx.touch(STAGED)
}

async function isAwaited(db: Read, rt: Needs, roomId: RoomId): Promise<boolean> {
  return (await versionOfPendingJoin(db, roomId, joinsCountSince(rt))) !== undefined
}

/** Drops the staged events of a room that this server did not join in the end. */
async function unstageLost(tx: Tx, rt: Needs, roomId: RoomId): Promise<void> {
  // Another join may have begun or ended in the meantime.
  if ((await isAwaited(tx, rt, roomId)) || (await joinedServers(tx, roomId)).has(rt.serverName)) return
  await unstageRoom(tx, roomId)
}
