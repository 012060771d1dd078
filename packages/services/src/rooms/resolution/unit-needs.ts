// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Database, Tx } from '@myelin/storage/engine/database'
import type { PolicyServer } from '../../room-state/policy-server-of.ts'

/** States whose resolution is too much work for a unit of work. */
export class ResolutionNeed {
  readonly roomId: RoomId
  readonly version: RoomVersion
  /** Roots of distinct states, ascending. */
  readonly roots: readonly number[]

  constructor(roomId: RoomId, version: RoomVersion, roots: readonly number[]) {
    this.roomId = roomId
    this.version = version
    this.roots = roots
  }
}

/** A local event that the room's policy server must sign before it is sent. */
export class SignatureNeed {
  readonly pdu: Pdu
  readonly version: RoomVersion
  readonly policy: PolicyServer

  constructor(pdu: Pdu, version: RoomVersion, policy: PolicyServer) {
    this.pdu = pdu
    this.version = version
    this.policy = policy
  }
}

/**
 * A precondition of a write transaction that must be fetched or computed outside of it. A function that finds one
 * returns it, having written nothing; its callers return it on, up to {@link writeMeeting}.
 */
export type UnitNeed = ResolutionNeed | SignatureNeed

/** Returns whether the outcome of a unit is something that it lacks. */
export function isNeed(outcome: unknown): outcome is UnitNeed {
  return outcome instanceof ResolutionNeed || outcome instanceof SignatureNeed
}

/** The needs that one unit may have, one after the other. */
const MAX_NEEDS = 150

/**
 * Runs a unit of work and returns its outcome. While the unit returns a need, all of it is rolled back, `meet` provides what
 * it lacks, and the unit runs again.
 */
export async function writeMeeting<T, Need extends UnitNeed>(
  db: Database,
  work: (tx: Tx) => Promise<T | Need>,
  meet: (need: Need) => Promise<void>,
): Promise<Exclude<T, UnitNeed>> {
  for (let met = 0; met <= MAX_NEEDS; met++) {
    const outcome = await writeUnlessNeeding(db, work)
    if (!isNeed(outcome)) return outcome as Exclude<T, UnitNeed>
    await meet(outcome as Need)
  }
  throw new Error(`a unit of work had more than ${MAX_NEEDS} needs`)
}

/** Rolls a unit back and carries its need out of the transaction; never seen outside of this file. */
class RolledBack extends Error {
  readonly need: UnitNeed

  constructor(need: UnitNeed) {
    super('the unit was rolled back for a need')
    this.need = need
  }
}

async function writeUnlessNeeding<T>(db: Database, work: (tx: Tx) => Promise<T>): Promise<T | UnitNeed> {
  try {
    return await db.write(async (tx) => {
      const outcome = await work(tx)
      if (isNeed(outcome)) throw new RolledBack(outcome)
      return outcome
    })
  } catch (cause) {
    if (cause instanceof RolledBack) return cause.need
    throw cause
  }
}
