// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { deviceChangesBetween } from '@myelin/storage/keys/device-lists'
import { oneTimeKeyCounts, unusedFallbackAlgorithms } from '@myelin/storage/keys/one-time-keys'
import { reachableDevices } from '@myelin/storage/sync/to-device'
import type { AddressedMessage } from '@myelin/storage/sync/to-device'
import type { AppService } from '../../runtime/app-services.ts'
import type { Stretch } from '../log-follower.ts'
import type { InterestingEvent, InterestingEvents } from './interesting-events.ts'

const UNSTABLE = 'org.matrix.msc3202.'

interface Interested {
  readonly service: AppService
  readonly interest: InterestingEvents
}

/** The users whose device lists a service has to fetch again, and those it need not track any more. */
export interface DeviceListNews {
  readonly changed: readonly UserId[]
  readonly left: readonly UserId[]
}

/**
 * Returns the device lists that changed in a stretch of the log, of users of the service and of users who share a room with
 * them. Users who join such a room count as changed; users who leave the last one have left.
 */
export async function deviceListsFor(
  db: Read,
  { service, interest }: Interested,
  events: readonly InterestingEvent[],
  { after, upTo }: Stretch,
): Promise<DeviceListNews> {
  const moved = events.flatMap(({ event: { pdu } }) => {
    const isOfOther = pdu.type === 'm.room.member' && !service.hasUser(pdu.stateKey ?? '')
    return isOfOther ? [{ user: pdu.stateKey as UserId, membership: stringMember(pdu.content, 'membership') }] : []
  })
  const known = new Set(await deviceChangesBetween(db, service.sender, after, upTo))
  for (const { user, membership } of moved) if (membership === 'join') known.add(user)
  const left = new Set(moved.flatMap(({ user, membership }) => (membership === 'join' ? [] : [user])))
  const changed: UserId[] = []
  for (const user of new Set([...known, ...left])) {
    if (!(await interest.hasInterestInUser(db, user))) continue
    if (known.has(user)) changed.push(user)
    left.delete(user)
  }
  return { changed, left: [...left] }
}

/**
 * Returns the members of a transaction about encryption, each under the name of MSC3202 as well: the device lists, and the key
 * counts of the devices that get messages or whose list changed.
 */
export async function encryptionMembers(
  db: Read,
  service: AppService,
  { deviceLists, toDevice }: { readonly deviceLists: DeviceListNews; readonly toDevice: readonly AddressedMessage[] },
): Promise<JsonObject> {
  const recipients = toDevice.map(({ userId }) => userId)
  const users = [...new Set([...recipients, ...deviceLists.changed.filter((user) => service.hasUser(user))])]
  const counts: Record<string, JsonObject> = {}
  const fallbacks: Record<string, JsonObject> = {}
  for (const [user, devices] of await reachableDevices(db, users)) {
    for (const device of devices) {
      const own = await oneTimeKeyCounts(db, user, device)
      counts[user] = { ...counts[user], [device]: { signed_curve25519: 0, ...own } }
      fallbacks[user] = { ...fallbacks[user], [device]: await unusedFallbackAlgorithms(db, user, device) }
    }
  }
  const lists = { changed: deviceLists.changed, left: deviceLists.left }
  return {
    device_lists: lists,
    device_one_time_keys_count: counts,
    device_unused_fallback_key_types: fallbacks,
    [`${UNSTABLE}device_lists`]: lists,
    [`${UNSTABLE}device_one_time_keys_count`]: counts,
    [`${UNSTABLE}device_one_time_key_counts`]: counts,
    [`${UNSTABLE}device_unused_fallback_key_types`]: fallbacks,
  }
}
