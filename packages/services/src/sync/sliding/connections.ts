// SPDX-License-Identifier: Apache-2.0
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import type { Read } from '@myelin/storage/engine/database'
import {
  putSlidingConnection,
  putSlidingStep,
  slidingConnectionsOf,
  slidingStepsUpTo,
  touchSlidingConnection,
} from '@myelin/storage/accounts/sliding-connections'
import type { Requester, Runtime } from '../../runtime/runtime.ts'
import { decodeStep, encodeStep, isWholeDue, NOTHING_SENT, stateAfter, wholeStep } from './connection-state.ts'
import type { ConnectionState, Step } from './connection-state.ts'
import { unknownPos } from './pos.ts'

/** A connection as of one of its steps. */
export interface Connection {
  readonly nid: number
  readonly serial: number
  /** The last whole step up to `serial`. */
  readonly wholeSerial: number
  readonly usedTs: number
  readonly state: ConnectionState
}

type Kept = Pick<Connection, 'serial' | 'wholeSerial' | 'state'>

// The last two states of each connection; the earlier one is needed after a lost answer.
const cache = new DatabaseCache<readonly Kept[]>('slidingStates', 4_000)

const DAY_MS = 24 * 3_600_000

/**
 * Returns the connection that a `pos` is of, with the state as of that `pos`.
 *
 * @throws MatrixError `M_UNKNOWN_POS` unless it is a connection of the requester's device and of this name
 */
export async function connectionAt(
  db: Read,
  { userId, deviceId }: Requester,
  connId: string,
  { connection, serial }: { readonly connection: number; readonly serial: number },
): Promise<Connection> {
  const own = (await slidingConnectionsOf(db, userId)).find(({ nid }) => nid === connection)
  if (own?.deviceId !== deviceId || own.connId !== connId) throw unknownPos()
  const kept = cache
    .of(db)
    .get(`${connection}`)
    ?.find((each) => each.serial === serial)
  if (kept) return { nid: connection, usedTs: own.usedTs, ...kept }
  const steps = await slidingStepsUpTo(db, connection, serial)
  if (steps.length === 0) throw unknownPos()
  let state = NOTHING_SENT
  for (const { step, isWhole } of steps) state = stateAfter(state, decodeStep(step), isWhole)
  const read = { serial, wholeSerial: steps[0]?.serial ?? serial, state }
  keep(db, connection, read)
  return { nid: connection, usedTs: own.usedTs, ...read }
}

function keep(db: Read, nid: number, state: Kept): void {
  const entries = cache.of(db)
  const [last] = entries.get(`${nid}`) ?? []
  entries.set(`${nid}`, last && last.serial !== state.serial ? [state, last] : [state])
}

/** Stores a new connection with all that its first answer sends; returns it. */
export async function startConnection(
  rt: Pick<Runtime, 'db' | 'clock'>,
  { userId, deviceId }: Requester,
  connId: string,
  step: Step,
): Promise<Pick<Connection, 'nid' | 'serial'>> {
  const usedTs = rt.clock.now()
  const made = await rt.db.write((tx) =>
    putSlidingConnection(tx, userId, { deviceId, connId, usedTs }, encodeStep(step)),
  )
  const state = stateAfter(NOTHING_SENT, step, true)
  keep(rt.db.read, made.nid, { serial: made.serial, wholeSerial: made.serial, state })
  return made
}

/**
 * Stores what an answer of a connection sends, if that changes its state; returns the serial that the answer's `pos` names.
 *
 * @throws MatrixError `M_UNKNOWN_POS` where the connection was dropped meanwhile
 */
export async function advanceConnection(
  rt: Pick<Runtime, 'db' | 'clock'>,
  { userId }: Requester,
  { nid, serial, wholeSerial, usedTs, state }: Connection,
  step: Step,
): Promise<number> {
  const now = rt.clock.now()
  const isDueToTouch = now - usedTs > DAY_MS
  const isUnchanged = step.rooms.size === 0 && step.selections.size === 0
  if (isUnchanged && !isDueToTouch) return serial
  const next = stateAfter(state, step)
  const isWhole = isWholeDue(state)
  const written = isWhole ? wholeStep(next) : step
  const made = await rt.db.write(async (tx) => {
    if (isDueToTouch) await touchSlidingConnection(tx, userId, nid, now)
    if (isUnchanged) return serial
    return putSlidingStep(tx, { nid, after: serial, keptFrom: wholeSerial }, { isWhole, step: encodeStep(written) })
  })
  if (made === undefined) throw unknownPos()
  if (!isUnchanged)
    keep(rt.db.read, nid, {
      serial: made,
      wholeSerial: isWhole ? made : wholeSerial,
      state: isWhole ? stateAfter(NOTHING_SENT, written, true) : next,
    })
  return made
}
