// SPDX-License-Identifier: Apache-2.0
import { isUserId, serverOf } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { ROOM_VERSIONS, type RoomVersion } from '../../room-versions.ts'
import { allow, reject, type Verdict } from '../verdict.ts'

/**
 * Judges `m.room.create`: rule 1.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function judgeCreate(event: Pdu, version: RoomVersion): Verdict {
  // 1. If it has any `prev_events`, reject.
  if (event.prevEvents.length > 0) return reject('create.has-previous-events')

  // 2. If the event has a `room_id`, reject; before version 12: if its domain is not the sender's, reject.
  if (version.roomIds === 'hash of create event') {
    if (member(event.json, 'room_id') !== undefined) return reject('create.has-room-id')
  } else if (event.roomId.slice(event.roomId.indexOf(':') + 1) !== serverOf(event.sender)) {
    return reject('create.room-of-another-server')
  }

  // 3. If `content.room_version` is present and is not a recognised version, reject.
  const named = member(event.content, 'room_version')
  if (named !== undefined && !(typeof named === 'string' && ROOM_VERSIONS.has(named))) {
    return reject('create.unknown-room-version')
  }

  // 4. If `additional_creators` is present and is not an array of valid user IDs, reject (since version 12).
  const additional = member(event.content, 'additional_creators')
  if (version.auth.creatorsOutrankEveryone && additional !== undefined) {
    if (!Array.isArray(additional) || !additional.every(isUserId)) return reject('create.bad-additional-creators')
  }

  // 4. If `content` has no `creator` property, reject (before version 11).
  const creator = member(event.content, 'creator')
  if (!version.auth.creatorIsSender && creator === undefined) return reject('create.no-creator')
  return allow
}
