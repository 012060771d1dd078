// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { cancelDelayedEvent } from './cancel-delayed-event.ts'
import { getDelayedEvent } from './get-delayed-event.ts'
import { getDelayedEvents } from './get-delayed-events.ts'
import { restartDelayedEvent } from './restart-delayed-event.ts'
import { scheduleDelayedEvent } from './schedule-delayed-event.ts'
import { sendDelayedEvent } from './send-delayed-event.ts'
import { updateDelayedEvent } from './update-delayed-event.ts'

/** Delayed events. */
export const delayedEventEndpoints: readonly AnyEndpoint[] = [
  cancelDelayedEvent,
  getDelayedEvent,
  getDelayedEvents,
  restartDelayedEvent,
  scheduleDelayedEvent,
  sendDelayedEvent,
  updateDelayedEvent,
]
