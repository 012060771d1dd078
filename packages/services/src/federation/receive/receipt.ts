// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isEventId } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { isObject, member, objectMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Tx } from '@myelin/storage/engine/database'
import { eventsById } from '@myelin/storage/rooms/events/events'
import { putReceipt } from '@myelin/storage/sync/receipts'
import type { Receipt } from '@myelin/storage/sync/receipts'
import { checkThread } from '../../ephemeral/thread-check.ts'
import type { EduReceiver, ReceiveEdu } from './edu-receiver.ts'
import { memberOfEdu, roomOfEdu } from './room-of-edu.ts'

const MAX_ROOMS = 200
const MAX_READERS = 1_000
const MAX_EVENTS = 10

/**
 * Moves the read receipts of remote users forward, where the events they name are stored.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#receipts
 */
export const receiveReceipt: ReceiveEdu = async (rt, origin, content) => {
  let left = MAX_READERS
  for (const [name, kinds] of Object.entries(content).slice(0, MAX_ROOMS)) {
    const read = isObject(kinds) ? objectMember(kinds, 'm.read') : undefined
    const roomId = read && (await roomOfEdu(rt, origin, name))
    if (!roomId) continue
    const readers = Object.entries(read).slice(0, left)
    left -= readers.length
    await moveReceipts(rt, origin, roomId, readers)
  }
}

async function moveReceipts(
  rt: EduReceiver,
  origin: ServerName,
  roomId: RoomId,
  readers: readonly (readonly [string, unknown])[],
): Promise<void> {
  const receipts: [UserId, JsonObject][] = []
  for (const [name, receipt] of readers) {
    const userId = await memberOfEdu(rt.db.read, origin, roomId, name)
    if (userId && isObject(receipt)) receipts.push([userId, receipt])
  }
  if (receipts.length === 0) return
  const now = rt.clock.now()
  await rt.db.write(async (tx) => {
    for (const [userId, said] of receipts) {
      const receipt = await receiptFrom(tx, roomId, said, now)
      if (receipt) await putReceipt(tx, { ...receipt, userId })
    }
  })
}

async function receiptFrom(
  tx: Tx,
  roomId: RoomId,
  said: JsonObject,
  now: number,
): Promise<Omit<Receipt, 'userId'> | undefined> {
  const ids = member(said, 'event_ids')
  const named = Array.isArray(ids) ? ids.slice(0, MAX_EVENTS).filter((id: unknown) => isEventId(id)) : []
  const events = (await eventsById(tx, named)).filter(({ pdu }) => pdu.roomId === roomId)
  const event = events.toSorted((a, b) => (b.position ?? 0) - (a.position ?? 0))[0]
  if (!event || event.position === null) return undefined
  const says = objectMember(said, 'data') ?? {}
  const [thread, ts] = [member(says, 'thread_id'), member(says, 'ts')]
  if (thread !== undefined && (typeof thread !== 'string' || !(await isInThread(tx, event, thread)))) return undefined
  return {
    roomId,
    kind: 'm.read',
    threadId: thread ?? '',
    eventId: event.pdu.id,
    eventPosition: event.position,
    ts: typeof ts === 'number' && Number.isSafeInteger(ts) && ts >= 0 ? ts : now,
  }
}

async function isInThread(tx: Tx, event: Parameters<typeof checkThread>[1], thread: string): Promise<boolean> {
  try {
    await checkThread(tx, event, thread)
    return true
  } catch (cause) {
    if (cause instanceof MatrixError) return false
    throw cause
  }
}
