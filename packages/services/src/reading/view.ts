// SPDX-License-Identifier: Apache-2.0
import type { Requester } from '../runtime/runtime.ts'
import type { EventFormat } from './client-event.ts'

/** The requester, the time, and the format for which events are rendered. */
export interface View {
  readonly requester: Requester
  readonly now: number
  readonly format: EventFormat
  /** Aggregations are bundled into the events; `inner` for an event that is bundled itself. */
  readonly bundles?: boolean | 'inner'
}
