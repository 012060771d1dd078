// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { delayedEventById } from '@myelin/storage/rooms/delayed-events'
import { putDelegatedLeave } from '@myelin/storage/rooms/delegated-leaves'
import type { Runtime } from '../runtime/runtime.ts'
import { requireOwnSfu } from './call-token.ts'
import { livekitNames } from './call-token.ts'
import type { CallPlace } from './call-token.ts'

/** The shortest delay of an event that is handed over: the server restarts it while the participant is connected. */
const MIN_DELAY_MS = 3_600_000

/**
 * Hands a delayed event of a local user over to the server, which restarts it while the participant is connected to the SFU and
 * sends it once the participant is gone.
 *
 * @throws `M_NOT_FOUND` where the user has no such delayed event, `M_BAD_JSON` where its delay is below one hour,
 * `M_INVALID_PARAM` where the SFU is not this server's
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4195
 */
export async function delegateLeave(
  rt: Pick<Runtime, 'db' | 'clock' | 'config'>,
  user: UserId,
  request: CallPlace & { readonly url: string; readonly delayId: string },
): Promise<void> {
  requireOwnSfu(rt, request.url)
  await handOver(rt, user, { ...livekitNames(user, request), delayId: request.delayId, minDelayMs: MIN_DELAY_MS })
}

/**
 * Delegates a delayed leave for clients of a LiveKit token service, which name the participant themselves and may choose
 * shorter delays.
 */
export async function handOver(
  { db, clock }: Pick<Runtime, 'db' | 'clock'>,
  user: UserId,
  {
    delayId,
    room,
    identity,
    minDelayMs,
  }: { readonly delayId: string; readonly room: string; readonly identity: string; readonly minDelayMs: number },
): Promise<void> {
  await db.write(async (tx) => {
    const event = await delayedEventById(tx, delayId)
    if (event?.userId !== user) throw new MatrixError('M_NOT_FOUND', 'no such delayed event')
    if (event.delayMs < minDelayMs)
      throw new MatrixError('M_BAD_JSON', `the delay of the event must be at least ${minDelayMs} ms`)
    await putDelegatedLeave(tx, { delayId, userId: user, room, identity, createdTs: clock.now(), isSeen: false })
  })
}
