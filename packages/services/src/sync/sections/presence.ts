// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { usersSharingRooms } from '@myelin/storage/rooms/members/shared-rooms'
import { presenceBetween, presenceOf, presenceAround } from '@myelin/storage/sync/presence'
import type { Presence } from '@myelin/storage/sync/presence'
import { passesType } from '../../room-state/event-filter.ts'
import { presenceContent } from '../../runtime/presence/show-presence.ts'
import type { Slice } from '../sync-request.ts'
import type { SyncScope } from '../sync-scope.ts'
import { eventList } from './sync-section.ts'
import type { SyncSection } from './sync-section.ts'

/** The first sync has the presence of this many users at most, those that changed last. */
const MAX_AT_FIRST = 1_000

/**
 * `presence`: the presence that changed of users who share a room with the user, and of those who came to share one.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#presence
 */
export const presenceSection: SyncSection = {
  path: ['presence'],
  unchanged: { events: [] },
  changes: async (scope) => eventList(await presenceEvents(scope)),
}

async function presenceEvents(scope: SyncScope): Promise<JsonObject[]> {
  const { tools, db, slice } = scope
  const filter = slice.request.filter.presence
  if (!tools.config.presence.isEnabled || !passesType('m.presence', filter)) return []
  const { changed } = await scope.deviceLists()
  // An invited user's devices are tracked, but their presence is shown to those in the room with them only.
  const sharing = changed.length === 0 ? undefined : await usersSharingRooms(db, slice.user)
  const met = changed.filter((user) => sharing?.has(user))
  const found = new Map((await changesIn(db, slice, met)).map((presence) => [presence.userId, presence]))
  const events: JsonObject[] = []
  for (const [sender, presence] of found) {
    if (filter.notSenders.includes(sender) || (filter.senders && !filter.senders.includes(sender))) continue
    events.push({ type: 'm.presence', sender, content: presenceContent(presence, slice.now) })
  }
  return events
}

async function changesIn(db: Read, { user, since, upTo }: Slice, met: readonly UserId[]): Promise<Presence[]> {
  if (!since) return presenceAround(db, user, MAX_AT_FIRST)
  const changed = await presenceBetween(db, user, since.position, upTo.position)
  const present = met.length === 0 ? [] : (await presenceOf(db, met)).filter(({ state }) => state !== 'offline')
  return [...present, ...changed]
}
