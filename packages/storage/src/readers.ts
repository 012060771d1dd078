// SPDX-License-Identifier: Apache-2.0
import type { Tx } from './database.ts'
import type { Position } from './schema.ts'

/** Who reads on behalf of all nodes, and until when nobody else does. */
export interface Lease {
  readonly name: string
  readonly holder: string
  readonly until: number
}

/** Takes or keeps the lease of a reader and answers how far it has come; undefined while somebody else holds it. */
export async function takeLease(tx: Tx, { name, holder, until }: Lease, now: number): Promise<Position | undefined> {
  await tx
    .insertInto('readers')
    .values({ name, position: 0, holder: null, until: null })
    .onConflict((at) => at.column('name').doNothing())
    .execute()
  const row = await tx
    .updateTable('readers')
    .set({ holder, until })
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

/** Lets go of a lease, so that another node need not wait until it runs out. */
export async function dropLease(tx: Tx, name: string, holder: string): Promise<void> {
  await tx
    .updateTable('readers')
    .set({ holder: null, until: null })
    .where('name', '=', name)
    .where('holder', '=', holder)
    .execute()
}
