// SPDX-License-Identifier: Apache-2.0
import type { Requester } from '../runtime/runtime.ts'
import type { EventFormat } from './client-event.ts'

/** Who reads, when, and how it shall be written. */
export interface View {
  readonly requester: Requester
  readonly now: number
  readonly format: EventFormat
  /** Whether what relates to the events is bundled into them; `inner` for an event that is bundled itself. */
  readonly bundles?: boolean | 'inner'
}
