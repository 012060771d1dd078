// SPDX-License-Identifier: Apache-2.0
import { isObject, member, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { SeenEvent } from './record/observation.ts'

/** Returns the members of a client event that the invariants read. */
export function seenEvent(event: JsonObject): SeenEvent {
  return {
    id: stringMember(event, 'event_id') ?? '',
    type: stringMember(event, 'type') ?? '',
    stateKey: stringMember(event, 'state_key'),
    marker: markerOf(event),
  }
}

/** Returns the marker in the content of an event or a to-device message. */
export function markerOf(event: JsonObject): string | undefined {
  const content = member(event, 'content')
  return isObject(content) ? stringMember(content, 'marker') : undefined
}
