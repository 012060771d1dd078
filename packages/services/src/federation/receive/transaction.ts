// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import { crashPoint } from '@myelin/kit/crash-point'
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomId } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { isObject, member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { isServerAllowed } from '@myelin/rules/server-acl'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { Room } from '@myelin/storage/rooms/rooms'
import { stagedCount, stagePdu } from '@myelin/storage/federation/staged-pdus'
import { earlierAnswer, rememberAnswer } from '@myelin/storage/accounts/transactions'
import type { TransactionKey } from '@myelin/storage/accounts/transactions'
import { shownContent } from '../../room-state/shown-state.ts'
import { versionOfAwaitedRoom } from '../../rooms/handshake/pending-join.ts'
import { isResident } from '../../room-state/servers-around.ts'
import { isWithdrawal, takeWithdrawal } from '../../rooms/handshake/withdrawal.ts'
import { parseIncoming } from '../../rooms/intake/check-incoming.ts'
import type { Checker } from '../../rooms/intake/check-incoming.ts'
import type { RoomContext } from '../../room-state/room-context.ts'
import { STAGED } from '../../rooms/intake/inbound.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { awaitRoom } from './backlog.ts'
import { receiveEdus } from './edus.ts'
import type { EduReceiver } from './edu-receiver.ts'

/** A transaction as it arrived, its numbers with their original spelling. */
export interface Transaction {
  readonly origin: ServerName
  readonly txnId: string
  readonly pdus: readonly Json[]
  readonly edus: readonly Json[]
  /** Aborted when the sender no longer waits for the answer. */
  readonly signal?: AbortSignal
}

type Needs = EduReceiver & Checker & Pick<Runtime, 'random' | 'limits'>
type Accepted = { readonly roomId: RoomId; readonly eventId: string; readonly json: JsonObject }
type Withdrawn = { readonly eventId: string; readonly withdrawal: Pdu; readonly room: RoomContext }

const MAX_PDUS = 50
const MAX_EDUS = 100
/** Number of events parsed before yielding: some milliseconds. */
const AT_ONCE = 10
/** The most events staged for a room with a pending join. */
const MAX_EARLY = 1000

/**
 * Receives a transaction from another server: its events are on disk when it returns, and are judged afterwards.
 *
 * A fault concerns one event only. A repeated transaction gets the same answer and has no effect. Transactions of a
 * server are handled one after the other, and wait while too many of its events are unjudged.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1sendtxnid
 */
export async function receiveTransaction(rt: Needs, transaction: Transaction): Promise<JsonObject> {
  const { pdus, edus } = transaction
  if (pdus.length > MAX_PDUS) throw new MatrixError('M_INVALID_PARAM', `a transaction has at most ${MAX_PDUS} PDUs`)
  if (edus.length > MAX_EDUS) throw new MatrixError('M_INVALID_PARAM', `a transaction has at most ${MAX_EDUS} EDUs`)
  return rt.limits.ofTransaction(transaction.origin, () => takeTransaction(rt, transaction))
}

async function takeTransaction(rt: Needs, { origin, txnId, pdus, edus, signal }: Transaction): Promise<JsonObject> {
  const key: TransactionKey = { userId: '' as UserId, deviceId: origin, endpoint: 'PUT send', txnId }
  const earlier = await earlierAnswer(rt.db.read, key)
  if (earlier !== undefined) return JSON.parse(earlier) as JsonObject
  if (pdus.length > 0) await awaitRoom(rt, origin, signal)
  const results: Record<string, Json> = Object.create(null) as Record<string, Json>
  const accepted: Accepted[] = []
  for (const [index, json] of pdus.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await nextTurn()
    const checked = await checkPdu(rt, origin, json)
    if (checked === undefined) continue
    results[checked.eventId] = 'fault' in checked ? { error: checked.fault } : {}
    if ('withdrawal' in checked) await takeWithdrawal(rt, checked.room, checked.withdrawal)
    else if (!('fault' in checked)) accepted.push(checked)
  }
  const answer: JsonObject = { pdus: { ...results } }
  // Before the transaction is acknowledged; handling its EDUs twice does no harm.
  await receiveEdus(rt, origin, edus)
  await rt.db.write(async (tx) => {
    if ((await earlierAnswer(tx, key)) !== undefined) return
    for (const { roomId, json } of accepted) {
      await stagePdu(tx, { origin, roomId, pdu: JSON.stringify(json) }, rt.clock.now())
    }
    await rememberAnswer(tx, key, JSON.stringify(answer), rt.clock.now())
    if (accepted.length > 0) tx.touch(STAGED)
  })
  crashPoint('pdus staged')
  return answer
}

/** The outcome of one event. */
type Checked = Accepted | Withdrawn | { readonly eventId: string; readonly fault: string }

/** Parses an event and checks its room's ACL; undefined for an event without an ID to answer under. */
async function checkPdu(rt: Needs, origin: ServerName, json: Json): Promise<Checked | undefined> {
  const roomId = isObject(json) ? member(json, 'room_id') : undefined
  const { room, isIn, awaited } = isRoomId(roomId) ? await standingIn(rt, roomId) : NOWHERE
  const claimed = isObject(json) ? member(json, 'event_id') : undefined
  const refused = (fault: string) =>
    typeof claimed === 'string' && claimed.length < 256 ? { eventId: claimed, fault } : undefined
  const version = awaited ?? (room && roomVersionOf(room.roomVersion))
  if (!version || !isRoomId(roomId) || !isObject(json)) return refused('this server is not in the room')
  const parsed = parseIncoming(json, { roomId, version })
  if ('fault' in parsed) return refused(parsed.fault)
  const eventId = parsed.pdu.id
  if (awaited) return checkEarly(rt, { roomId, eventId, json })
  if (!isIn || !room) {
    if (!(await isWithdrawal(rt, origin, parsed.pdu))) return { eventId, fault: 'this server is not in the room' }
    return { eventId, withdrawal: parsed.pdu, room: { roomId, version } }
  }
  const acl = await shownContent(rt.db.read, { version, stateRoot: room.stateRoot }, 'm.room.server_acl')
  if (!isServerAllowed(origin, acl)) return { eventId, fault: 'the server ACL of the room denies your server' }
  return { roomId, eventId, json }
}

/** The room, whether this server is in it, and its version where a join is pending. */
interface Standing {
  readonly room: Room | undefined
  readonly isIn: boolean
  readonly awaited?: RoomVersion | undefined
}

const NOWHERE: Standing = { room: undefined, isIn: false }

async function standingIn(rt: Needs, roomId: RoomId): Promise<Standing> {
  const before = await presentIn(rt, roomId)
  if (before.isIn) return before
  const awaited = await versionOfAwaitedRoom(rt, roomId)
  // The join may have ended between the two reads.
  return awaited ? { ...before, awaited } : presentIn(rt, roomId)
}

async function presentIn(rt: Needs, roomId: RoomId): Promise<Standing> {
  const room = await roomById(rt.db.read, roomId)
  return { room, isIn: room !== undefined && (await isResident(rt, room.id, room)) }
}

/** Stages an event of a room with a pending join; its ACL is checked after the join. */
async function checkEarly(rt: Needs, early: Accepted): Promise<Checked> {
  if ((await stagedCount(rt.db.read, early.roomId, MAX_EARLY)) < MAX_EARLY) return early
  return { eventId: early.eventId, fault: 'this server has not joined the room yet' }
}
