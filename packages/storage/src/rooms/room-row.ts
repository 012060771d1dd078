// SPDX-License-Identifier: Apache-2.0
import { preparedStatement } from '../engine/prepared.ts'
import type { RowKind, StatementBuilder } from '../engine/known-rows.ts'
import type { Tables } from '../schema/schema.ts'

type Row = Tables['rooms']

/** Writes what an event changes in its room's row. */
const statementOf = preparedStatement<Row>(
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
    'bump_position',
  ],
  (builder: StatementBuilder, row) =>
    builder
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
        bump_position: row.bump_position,
      })
      .where('room_nid', '=', row.room_nid),
)

/** The rows of rooms, by room id, which the writing side keeps: a send reads its room's row and writes it. */
export const roomRows: RowKind<Row> = { table: 'rooms', keyOf: ({ room_id: roomId }) => roomId, statementOf }
