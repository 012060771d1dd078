// SPDX-License-Identifier: Apache-2.0
import { isEventId } from '@myelin/matrix/ids'
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { askServer } from './ask-server.ts'
import type { Asker } from './ask-server.ts'

/** An event and its timestamp. */
export interface TimedEvent {
  readonly eventId: EventId
  readonly ts: number
}

/** A time, and the direction to search from there. */
export interface TimeSearch {
  readonly roomId: RoomId
  readonly ts: number
  readonly direction: 'forward' | 'backward'
}

const TIMEOUT_MS = 10_000

/**
 * Returns the event nearest to a time that another server has; throws a `RemoteError` where it lies in the other
 * direction.
 */
export async function askEventByTime(rt: Asker, server: ServerName, search: TimeSearch): Promise<TimedEvent> {
  const { roomId, ts: from, direction } = search
  const query = { ts: from, dir: direction === 'forward' ? 'f' : 'b' }
  const target = federationPath(['federation', 'v1', 'timestamp_to_event', roomId], query)
  const answer = await askServer(rt, server, { method: 'GET', target, timeoutMs: TIMEOUT_MS })
  const [eventId, ts] = [member(answer, 'event_id'), member(answer, 'origin_server_ts')]
  const isTime = typeof ts === 'number' && Number.isSafeInteger(ts) && ts >= 0
  const isRight = isTime && (direction === 'forward' ? ts >= from : ts <= from)
  if (!isEventId(eventId) || !isRight)
    throw new RemoteError('malformed', `${server} sent no event in the requested direction`)
  return { eventId, ts }
}
