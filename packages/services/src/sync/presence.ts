// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { presenceBetween, presenceOf, presenceAround } from '@myelin/storage/sync/presence'
import type { Presence } from '@myelin/storage/sync/presence'
import { presenceContent } from '../runtime/presence/show-presence.ts'
import { passesType } from '../room-state/event-filter.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Slice } from './sync-request.ts'

/** At the first sync so many are told, those who changed last. */
const MAX_AT_FIRST = 1_000

/**
 * How present those are with whom the user shares a room, as far as it changed in the slice; `met` came to share one in it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#presence
 */
export async function presenceEvents(
  rt: Pick<Runtime, 'config'>,
  db: Read,
  slice: Slice,
  met: readonly UserId[],
): Promise<JsonObject[]> {
  const filter = slice.request.filter.presence
  if (!rt.config.presence.isEnabled || !passesType('m.presence', filter)) return []
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
