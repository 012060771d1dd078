// SPDX-License-Identifier: Apache-2.0
import type { Tx } from './database.ts'
import type { Position } from '../schema/schema.ts'
import { topics } from './topics.ts'

/** Who reads on behalf of all nodes, on which of them, and until when nobody else does. */
export interface Lease {
  readonly name: string
  readonly holder: string
  /** The node of the holder: its database's `node`. */
  readonly node: number
  readonly until: number
}

/** Takes or keeps the lease of a reader and answers how far it has come; undefined while somebody else holds it. */
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

/** Moves a reader forward and keeps its lease; answers false where the lease was lost. */
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

/** Lets go of a lease, so that another node need not wait until it runs out: all of them are told. */
export async function dropLease(tx: Tx, name: string, holder: string): Promise<void> {
  await tx.updateTable('readers').set(free).where('name', '=', name).where('holder', '=', holder).execute()
  tx.touch(topics.leases)
}

/** Lets go of every lease that a node held which is dead. */
export async function dropLeasesOf(tx: Tx, node: number): Promise<void> {
  await tx.updateTable('readers').set(free).where('node', '=', node).execute()
  tx.touch(topics.leases)
}

const free = { holder: null, node: null, until: null } as const
