// SPDX-License-Identifier: Apache-2.0
import { RawJson } from '@myelin/kit/raw-json'
import { eventList } from './sync-section.ts'
import type { SyncSection } from './sync-section.ts'

/** `to_device`: the messages that wait for the device. */
export const toDeviceSection: SyncSection = {
  path: ['to_device'],
  unchanged: { events: [] },
  changes: async (scope) => eventList((await scope.toDevice()).map(({ message }) => new RawJson(message))),
}
