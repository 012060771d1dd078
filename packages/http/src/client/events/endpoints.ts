// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getEventByTimestamp } from './get-event-by-timestamp.ts'
import { getEventContext } from './get-event-context.ts'
import { getOneEvent } from './get-one-event.ts'
import { getOneRoomEvent } from './get-one-room-event.ts'
import { getRoomEvents } from './get-room-events.ts'
import { redactEvent } from './redact-event.ts'
import { sendMessage } from './send-message.ts'

/** Sending and reading events. */
export const eventEndpoints: readonly AnyEndpoint[] = [
  getEventByTimestamp,
  getEventContext,
  getOneEvent,
  getOneRoomEvent,
  getRoomEvents,
  redactEvent,
  sendMessage,
]
