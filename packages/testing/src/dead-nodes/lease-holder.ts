// SPDX-License-Identifier: Apache-2.0
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import { takeLease } from '@myelin/storage/engine/readers'

/**
 * A node that takes the lease of a reader for ever and prints a line, for a test to kill: `lease-holder.ts URL READER`.
 */
const [url = '', name = ''] = process.argv.slice(2)
const db = await openPostgres({ connectionString: url, maxReaders: 1 }, { committed: () => {} })
const lease = { name, holder: 'the dead', node: db.node, until: Number.MAX_SAFE_INTEGER }
const position = await db.write((tx) => takeLease(tx, lease, 0))
process.stdout.write(position === undefined ? 'refused' : 'held')
