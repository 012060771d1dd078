// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { mallory } from './stage.ts'

/** Returns power levels that give mallory the highest level. */
export const levels = (content: JsonObject = {}) => ({
  type: 'm.room.power_levels',
  sender: mallory,
  stateKey: '',
  content: { users: { [mallory]: 100 }, ...content },
})

/** Returns the draft of a topic by a user of the hostile server. */
export const topic = { type: 'm.room.topic', stateKey: '', content: { topic: 'mine' } }
