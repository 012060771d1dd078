// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { Read } from '@myelin/storage/engine/database'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { renderEvents } from '../reading/render.ts'
import type { View } from '../reading/view.ts'
import { printPosition } from '../room-state/page-token.ts'
import type { Slice } from './sync-request.ts'
import type { Timeline } from './timeline.ts'

/** Returns the `timeline` and `state` members of a room's entry; `state` under the name that the client asked for. */
export async function renderRoomEvents(
  db: Read,
  slice: Slice,
  { timeline, state }: { readonly timeline: Timeline; readonly state: readonly StoredEvent[] },
): Promise<Record<string, unknown>> {
  const { filter, requester, stateAfter } = slice.request
  const format = { hasRoomId: false, isFederation: filter.isFederationFormat, fields: filter.fields }
  const view: View = { requester, now: slice.now, format }
  const events: RawJson[] = await renderEvents(db, timeline.events, { ...view, bundles: timeline.isLimited })
  return {
    timeline: {
      events,
      limited: timeline.isLimited,
      prev_batch: printPosition(timeline.startsAfter),
    },
    [stateAfter ?? 'state']: { events: await renderEvents(db, state, view) },
  }
}
