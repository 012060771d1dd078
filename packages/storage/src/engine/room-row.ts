// SPDX-License-Identifier: Apache-2.0
import type { Tx } from './database.ts'
import { preparedStatement } from './prepared.ts'
import type { Tables } from '../schema/schema.ts'

type Row = Tables['rooms']

/** Writes what an event changes in its room's row. */
export const roomStatement = preparedStatement<Row>(
  [
    'room_nid',
    'extremities',
    'head_count',
    'is_unsettled',
    'depth',
    'state_root',
    'opened',
    'last_position',
    'notified',
    'joined_count',
    'invited_count',
  ],
  (tx: Pick<Tx, 'updateTable'>, row) =>
    tx
      .updateTable('rooms')
      .set({
        extremities: row.extremities,
        head_count: row.head_count,
        is_unsettled: row.is_unsettled,
        depth: row.depth,
        state_root: row.state_root,
        opened: row.opened,
        last_position: row.last_position,
        notified: row.notified,
        joined_count: row.joined_count,
        invited_count: row.invited_count,
      })
      .where('room_nid', '=', row.room_nid),
)
