// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { earlierAnswer, rememberAnswer } from '@myelin/storage/accounts/transactions'
import { countDelayedEvents, delayedEventsOf, putDelayedEvent } from '@myelin/storage/rooms/delayed-events'
import type { DelayedEvent } from '@myelin/storage/rooms/delayed-events'
import type { Requester, Runtime } from '../../runtime/runtime.ts'
import { refuseSuspended } from '../../standing/suspension.ts'
import { checkContent } from '../drafts/check-content.ts'
import { Rehearsed } from '../drafts/event-draft.ts'
import type { DelayedEventNeeds } from './delayed-draft.ts'
import { sendDelayed } from './delayed-draft.ts'

/** A request to send an event after a delay. */
export interface DelayedEventRequest {
  readonly roomId: RoomId
  readonly type: string
  readonly stateKey?: string | undefined
  readonly content: JsonObject
  readonly delayMs: number
  /** The time in ms for which the event is sticky once it is sent. */
  readonly stickyMs?: number | undefined
  /** The client's ID of the request; a request with the same one schedules nothing new. */
  readonly txnId?: string
}

/**
 * Schedules an event of a local user, and returns its delay ID.
 *
 * An event that could not be sent now is refused as if it were sent, except a change of the own membership, of which only the
 * content is checked.
 *
 * @throws `M_FORBIDDEN` where delayed events are disabled, `M_INVALID_PARAM` for a delay that is not positive,
 * `M_UNKNOWN` (400) for one above the maximum, `M_LIMIT_EXCEEDED` for too many scheduled events
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export async function scheduleEvent(
  rt: DelayedEventNeeds & Pick<Runtime, 'config'>,
  { userId, deviceId }: Pick<Requester, 'userId' | 'deviceId'>,
  { txnId, ...request }: DelayedEventRequest,
): Promise<string> {
  const { maxPerUser } = rt.config.delayedEvents
  checkDelay(rt.config, request.delayMs)
  const endpoint = `delayed ${request.roomId} ${request.type} ${request.stateKey ?? ''}`
  const key = txnId === undefined ? undefined : { userId, deviceId, endpoint, txnId }
  const earlier = key && (await earlierAnswer(rt.db.read, key))
  if (earlier !== undefined) return earlier
  await refuseSuspended(rt, userId)
  rt.limits.take('message', userId)
  const event: DelayedEvent = {
    delayId: `myd_${rt.random.token(20)}`,
    userId,
    deviceId,
    ...request,
    stateKey: request.stateKey,
    stickyMs: request.stickyMs ?? 0,
    sinceTs: rt.clock.now(),
  }
  await rehearse(rt, event)
  return rt.db.write(async (tx) => {
    const made = key && (await earlierAnswer(tx, key))
    if (made !== undefined) return made
    if ((await countDelayedEvents(tx, userId)) >= maxPerUser) throw await tooMany(rt, event)
    await putDelayedEvent(tx, event)
    if (key) await rememberAnswer(tx, key, event.delayId, event.sinceTs)
    return event.delayId
  })
}

function checkDelay(
  { delayedEvents: { maxDelayMs } }: Pick<Runtime['config'], 'delayedEvents'>,
  delayMs: number,
): void {
  // The sentence is Synapse's.
  if (maxDelayMs === 0) throw new MatrixError('M_FORBIDDEN', 'Sending delayed events has been disallowed')
  if (delayMs <= 0) throw new MatrixError('M_INVALID_PARAM', 'the delay must be positive')
  if (delayMs <= maxDelayMs) return
  // matrix-js-sdk 43 lowers the delay of a call's leave by this answer only. Synapse 1.163 has another code, which it ignores.
  throw new MatrixError('M_UNKNOWN', `the delay must be at most ${maxDelayMs} ms`, {
    status: 400,
    extra: {
      'org.matrix.msc4140.errcode': 'M_MAX_DELAY_EXCEEDED',
      'org.matrix.msc4140.max_delay': maxDelayMs,
    },
  })
}

/** Throws what sending the event now would throw. Nothing is sent: the unit is undone. */
async function rehearse(rt: DelayedEventNeeds, event: DelayedEvent): Promise<void> {
  const { type, stateKey, content } = event
  if (type === 'm.room.member' && stateKey === event.userId) {
    return checkContent(rt.serverName, { type, stateKey, content })
  }
  try {
    await sendDelayed(rt, event, { claim: async () => undefined, isRehearsal: true })
  } catch (cause) {
    if (!(cause instanceof Rehearsed)) throw cause
  }
}

/** Returns the refusal of one more event, with the time until the next of the scheduled ones is sent. */
async function tooMany(rt: Pick<Runtime, 'db' | 'clock'>, { userId }: DelayedEvent): Promise<MatrixError> {
  const scheduled = await delayedEventsOf(rt.db.read, userId)
  const next = Math.min(...scheduled.map(({ sinceTs, delayMs }) => sinceTs + delayMs))
  const waitMs = Math.max(1, next - rt.clock.now())
  return new MatrixError('M_LIMIT_EXCEEDED', 'too many events are scheduled', { extra: { retry_after_ms: waitMs } })
}
