// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { dehydratedDeviceOf } from '@myelin/storage/accounts/dehydrated-devices'
import { waitingToDevice } from '@myelin/storage/sync/to-device'
import type { Requester, Runtime } from '../runtime/runtime.ts'

/** A page of the to-device messages of a dehydrated device. */
export interface DehydratedEvents {
  /** JSON with `type`, `sender` and `content`, oldest first. */
  readonly messages: readonly string[]
  /** The token of the page behind this one. */
  readonly nextBatch: string
  /** More messages wait. */
  readonly hasMore: boolean
}

const MAX_MESSAGES = 100

/**
 * Returns a page of the messages that were sent to the requester's dehydrated device, after the token `from`.
 *
 * Reading deletes nothing, because a client may break off; the messages are gone with the device.
 *
 * @throws MatrixError `M_FORBIDDEN` where the device is not the requester's dehydrated one, `M_INVALID_PARAM` for a token of
 * another kind
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3814
 */
export async function dehydratedEvents(
  { db }: Pick<Runtime, 'db'>,
  { userId }: Requester,
  deviceId: string,
  { from, limit = MAX_MESSAGES }: { readonly from: string | undefined; readonly limit?: number | undefined },
): Promise<DehydratedEvents> {
  const device = await dehydratedDeviceOf(db.read, userId)
  if (!device) throw new MatrixError('M_FORBIDDEN', 'the user has no dehydrated device')
  if (device.deviceId !== deviceId) throw new MatrixError('M_FORBIDDEN', 'this is not your dehydrated device')
  const after = positionOf(from)
  const upTo = await db.position()
  const bounds = { upTo, limit: Math.min(Math.max(limit, 1), MAX_MESSAGES) }
  const messages = await waitingToDevice(db.read, userId, deviceId, { ...bounds, after })
  const last = messages.at(-1)?.position
  const isFull = last !== undefined && messages.length === bounds.limit
  const hasMore =
    isFull && (await waitingToDevice(db.read, userId, deviceId, { upTo, limit: 1, after: last })).length > 0
  const end = hasMore ? last : Math.max(upTo, after)
  return { messages: messages.map(({ message }) => message), nextBatch: `d${end}`, hasMore }
}

function positionOf(token: string | undefined): number {
  if (token === undefined || token === '') return 0
  if (!/^d\d{1,15}$/.test(token))
    throw new MatrixError('M_INVALID_PARAM', 'the token must be the `next_batch` of an earlier answer')
  return Number(token.slice(1))
}
