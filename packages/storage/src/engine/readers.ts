// SPDX-License-Identifier: Apache-2.0
import type { Tx } from './database.ts'
import type { Position } from '../schema/schema.ts'
import { topics } from './topics.ts'

/** A lease on a durable reader: its holder, the holder's node, and the time (ms) until which no other node takes it. */
export interface Lease {
  readonly name: string
  readonly holder: string
  /** The node of the holder: its database's `node`. */
  readonly node: number
  readonly until: number
}

/** Takes or renews the lease of a reader and returns the reader's position; undefined while another holder has it. */
export async function takeLease(tx: Tx, lease: Lease, now: number): Promise<Position | undefined> {
  const { name, holder, node, until } = lease
  await tx
    .insertInto('readers')
    .values({ name, position: 0, holder: null, node: null, until: null })
    .onConflict((at) => at.column('name').doNothing())
    .execute()
  const row = await tx
    .updateTable('readers')
    .set({ holder, node, until })
    .where('name', '=', name)
    .where((reader) =>
      reader.or([reader('holder', 'is', null), reader('holder', '=', holder), reader('until', '<', now)]),
    )
    .returning('position')
    .executeTakeFirst()
  return row?.position
}

/** Advances a reader and renews its lease; returns false where the lease was lost. */
export async function moveReader(tx: Tx, { name, holder, until }: Lease, position: Position): Promise<boolean> {
  const row = await tx
    .updateTable('readers')
    .set({ position, until })
    .where('name', '=', name)
    .where('holder', '=', holder)
    .returning('position')
    .executeTakeFirst()
  return row !== undefined
}

/** Releases a lease before it expires, and wakes the nodes that wait for it. */
export async function dropLease(tx: Tx, name: string, holder: string): Promise<void> {
  await tx.updateTable('readers').set(free).where('name', '=', name).where('holder', '=', holder).execute()
  tx.touch(topics.leases)
}

/** Releases all leases of a dead node. */
export async function dropLeasesOf(tx: Tx, node: number): Promise<void> {
  await tx.updateTable('readers').set(free).where('node', '=', node).execute()
  tx.touch(topics.leases)
}

const free = { holder: null, node: null, until: null } as const
