// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import {
  delayedEventById,
  delayedEventsOf,
  deleteDelayedEvent,
  restartDelayedEvent,
} from '@myelin/storage/rooms/delayed-events'
import type { DelayedEvent } from '@myelin/storage/rooms/delayed-events'
import type { Runtime } from '../../runtime/runtime.ts'
import { sendDelayed } from './delayed-draft.ts'
import type { DelayedEventNeeds } from './delayed-draft.ts'

/** The actions of a client on a delayed event. */
export const DELAYED_EVENT_ACTIONS = ['cancel', 'restart', 'send'] as const

/** One of {@link DELAYED_EVENT_ACTIONS}. */
export type DelayedEventAction = (typeof DELAYED_EVENT_ACTIONS)[number]

/** A delayed event as clients see it; times in ms. */
interface ShownDelayedEvent {
  readonly delay_id: string
  readonly room_id: RoomId
  readonly type: string
  readonly state_key?: string
  readonly content: JsonObject
  readonly delay_ms: number
  readonly delayed_since_ts: number
}

/** The names that earlier drafts gave to the times. */
interface OldNames {
  readonly delay: number
  readonly running_since: number
}

/** Returns a user's delayed events as clients see them, the oldest first, with the names of earlier drafts as well. */
export async function listDelayedEvents(
  { db }: Pick<Runtime, 'db'>,
  user: UserId,
): Promise<(ShownDelayedEvent & OldNames)[]> {
  const events = await delayedEventsOf(db.read, user)
  return events.map((event) => ({ ...shown(event), delay: event.delayMs, running_since: event.sinceTs }))
}

/** Returns one of a user's delayed events as clients see it; throws `M_NOT_FOUND` where there is none. */
export async function readDelayedEvent(
  { db }: Pick<Runtime, 'db'>,
  user: UserId,
  delayId: string,
): Promise<ShownDelayedEvent> {
  return shown(await own(db.read, user, delayId))
}

/**
 * Cancels one of a user's delayed events, starts its delay again, or sends it now.
 *
 * @throws `M_NOT_FOUND` where the user has no such event: it was sent or cancelled, or it is another user's
 */
export async function manageDelayedEvent(
  rt: DelayedEventNeeds,
  user: UserId,
  delayId: string,
  action: DelayedEventAction,
): Promise<void> {
  rt.limits.take('delayedEvents', user)
  if (action === 'send') {
    const event = await own(rt.db.read, user, delayId)
    await sendDelayed(rt, event, {
      claim: async (tx) => {
        if (!(await deleteDelayedEvent(tx, { userId: user, delayId }))) throw missing()
      },
    })
    return
  }
  const isThere = await rt.db.write((tx) =>
    action === 'cancel'
      ? deleteDelayedEvent(tx, { userId: user, delayId })
      : restartDelayedEvent(tx, user, delayId, rt.clock.now()),
  )
  if (!isThere) throw missing()
}

async function own(db: Runtime['db']['read'], user: UserId, delayId: string): Promise<DelayedEvent> {
  const event = await delayedEventById(db, delayId)
  if (event?.userId !== user) throw missing()
  return event
}

function shown({ delayId, roomId, type, stateKey, content, delayMs, sinceTs }: DelayedEvent): ShownDelayedEvent {
  return {
    delay_id: delayId,
    room_id: roomId,
    type,
    ...(stateKey === undefined ? {} : { state_key: stateKey }),
    content,
    delay_ms: delayMs,
    delayed_since_ts: sinceTs,
  }
}

const missing = () => new MatrixError('M_NOT_FOUND', 'no such delayed event')
