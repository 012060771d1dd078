// SPDX-License-Identifier: Apache-2.0
import { RawJson } from '@myelin/kit/raw-json'
import type { JsonObject } from '@myelin/matrix/json'
import { rulesetOf } from '@myelin/rules/push/default-rules'
import { accountDataBetween } from '@myelin/storage/accounts/account-data'
import type { AccountData } from '@myelin/storage/accounts/account-data'
import type { Read } from '@myelin/storage/engine/database'
import { oneTimeKeyCounts, unusedFallbackAlgorithms } from '@myelin/storage/keys/one-time-keys'
import { changedRooms } from '@myelin/storage/sync/changed-rooms'
import { pushRulesPosition } from '@myelin/storage/accounts/push-rules'
import { waitingToDevice } from '@myelin/storage/sync/to-device'
import { ownRules } from '../account-data/push-rules.ts'
import { passesType } from '../room-state/event-filter.ts'
import { printToken } from '../room-state/page-token.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { deviceListChanges } from './device-lists.ts'
import { joinedRooms } from './joined-rooms.ts'
import { leftRooms, offeredRooms } from './other-rooms.ts'
import { presenceEvents } from './presence.ts'
import type { Slice } from './sync-request.ts'

/** A `/sync` answer, and whether it says anything at all. */
export interface SyncAnswer {
  readonly body: Readonly<Record<string, unknown>>
  readonly isEmpty: boolean
}

const MAX_TO_DEVICE = 100
// Every client that waits keeps an answer that says nothing; they share what is the same in all of them.
const NOTHING = Object.freeze({
  rooms: { join: {}, invite: {}, knock: {}, leave: {} },
  account_data: { events: [] },
  presence: { events: [] },
  to_device: { events: [] },
  device_lists: { changed: [], left: [] },
})

/** Writes down everything that a slice of the log means to one device. */
export async function assemble(rt: Pick<Runtime, 'typing' | 'config'>, db: Read, slice: Slice): Promise<SyncAnswer> {
  const { filter, requester } = slice.request
  const after = slice.since?.position ?? 0
  const changed = await accountDataBetween(db, slice.user, after, slice.upTo.position)
  const ofRooms = roomAccountData(changed, slice)
  const isWhole = slice.since === undefined || slice.request.isFullState
  const moved = isWhole ? undefined : await changedRooms(db, slice.user, after)
  const rooms = await joinedRooms(rt, db, slice, { moved, accountData: ofRooms })
  const join = Object.fromEntries(rooms.map(({ roomId, body }) => [roomId, body]))
  const [invite, knock] = [await offeredRooms(db, slice, 'invite'), await offeredRooms(db, slice, 'knock')]
  const leave = await leftRooms(db, slice)
  const global = changed.filter(({ roomId, type }) => roomId === '' && passesType(type, filter.accountData))
  const accountData = [
    ...(await pushRulesEntry(db, slice, after)),
    ...global.map(({ type, content }) => ({ type, content })),
  ]
  const messages = await waitingToDevice(db, slice.user, requester.deviceId, {
    after: slice.request.since?.toDevice ?? 0,
    upTo: slice.upTo.position,
    limit: MAX_TO_DEVICE,
  })
  const { memberships, user } = slice
  const lists = slice.since
    ? await deviceListChanges(db, { user, after, upTo: slice.upTo.position, memberships, moved })
    : { changed: [], left: [] }
  const presence = await presenceEvents(rt, db, slice, lists.changed)
  const sections = [join, invite, knock, leave].map((section) => Object.keys(section).length)
  const isEmpty = [
    ...sections,
    accountData.length,
    presence.length,
    messages.length,
    lists.changed.length,
    lists.left.length,
  ].every((count) => count === 0)
  const body = {
    next_batch: printToken({
      ...slice.upTo,
      toDevice: messages.at(-1)?.position ?? slice.request.since?.toDevice ?? 0,
    }),
    ...(isEmpty
      ? NOTHING
      : {
          rooms: { join, invite, knock, leave },
          account_data: { events: accountData },
          presence: { events: presence },
          to_device: { events: messages.map(({ message }) => new RawJson(message)) },
          device_lists: lists,
        }),
    device_one_time_keys_count: {
      signed_curve25519: 0,
      ...(await oneTimeKeyCounts(db, slice.user, requester.deviceId)),
    },
    device_unused_fallback_key_types: await unusedFallbackAlgorithms(db, slice.user, requester.deviceId),
  }
  return { body, isEmpty }
}

function roomAccountData(changed: readonly AccountData[], { request }: Slice): Map<string, JsonObject[]> {
  const byRoom = new Map<string, JsonObject[]>()
  for (const { roomId, type, content } of changed) {
    if (roomId === '' || !passesType(type, request.filter.roomAccountData)) continue
    byRoom.set(roomId, [...(byRoom.get(roomId) ?? []), { type, content }])
  }
  return byRoom
}

/** The push rules travel as account data, whole, at the first sync and whenever they change. */
async function pushRulesEntry(db: Read, slice: Slice, after: number): Promise<JsonObject[]> {
  if (!passesType('m.push_rules', slice.request.filter.accountData)) return []
  if (slice.since && (await pushRulesPosition(db, slice.user)) <= after) return []
  return [{ type: 'm.push_rules', content: { global: rulesetOf(slice.user, await ownRules(db, slice.user)) } }]
}
