// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Read } from '../../engine/database.ts'
import { eventIdBytes, eventIdOf } from './event-ids.ts'
import { preparedList } from '../../engine/prepared.ts'
import type { Nid } from '../../schema/schema.ts'

/** The columns of an event that a state needs, without the event itself. */
export interface StateRow {
  readonly id: EventId
  readonly nid: Nid
  readonly room: Nid
  readonly type: string
  readonly stateKey: string | undefined
  /** The number of its type and state key; undefined where it is no state event. */
  readonly key: Nid | undefined
  /** One of `EVENT_STATUS`. */
  readonly status: number
}

/** Returns the rows of these events, of those that we have, in no particular order. */
export async function stateRows(db: Read, ids: readonly EventId[]): Promise<StateRow[]> {
  if (ids.length === 0) return []
  return (await rowsOf(db, new Set(ids).values().map(eventIdBytes))).map((row) => ({
    id: eventIdOf(row.event_id),
    nid: row.event_nid,
    room: row.room_nid,
    type: row.type,
    stateKey: row.state_key ?? undefined,
    key: row.key_nid ?? undefined,
    status: row.status,
  }))
}

const rowsOf = preparedList((db, ids: readonly Uint8Array[]) =>
  db
    .selectFrom('events')
    .leftJoin('state_keys', (join) =>
      join.onRef('state_keys.state_key', '=', 'events.state_key').onRef('state_keys.type', '=', 'events.type'),
    )
    .select(['event_id', 'event_nid', 'room_nid', 'events.type', 'events.state_key', 'state_keys.key_nid', 'status'])
    .where('event_id', 'in', ids),
)
