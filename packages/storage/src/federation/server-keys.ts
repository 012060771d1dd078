// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'
import { cachedReader } from '../engine/cached-reader.ts'
import { prepared } from '../engine/prepared.ts'
import type { Bytes, Tables } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** A key of another server, and how far it is vouched for. */
export interface ServerKey {
  readonly keyId: string
  readonly publicKey: Bytes
  /** An old key's signatures count before this time, another one's up to and with it. */
  readonly validUntilTs: number
  readonly isOld: boolean
}

/** A key, its server, and the time when it was last confirmed. */
export interface StoredServerKey extends ServerKey {
  readonly server: ServerName
  readonly answerTs: number
}

/** A document in which a server published its keys. */
export interface ServerKeyAnswer {
  readonly server: ServerName
  readonly answerTs: number
  /** Canonical JSON, with the server's own signatures alone. */
  readonly answer: string
  readonly keys: readonly ServerKey[]
}

const rowsOf = prepared((db, server: ServerName) =>
  db.selectFrom('server_keys').selectAll().where('server_name', '=', server),
)

/** Every request and every event that comes in is checked against them. */
const keysOf = cachedReader(
  'serverKeys',
  20_000,
  (server: ServerName) => topics.keysOfServer(server),
  async (db, server: ServerName): Promise<readonly StoredServerKey[]> => (await rowsOf(db, server)).map(storedKey),
)

/** Up to this number, servers are read one by one and cached. More, as in a large room, would evict the others. */
const FEW = 20

/** Returns every key we hold of these servers. */
export async function serverKeysOf(db: Read, servers: readonly ServerName[]): Promise<StoredServerKey[]> {
  if (servers.length <= FEW) return (await Promise.all(servers.map((server) => keysOf(db, server)))).flat()
  const rows = await inChunks(servers, (chunk) =>
    db.selectFrom('server_keys').selectAll().where('server_name', 'in', chunk).execute(),
  )
  return rows.map(storedKey)
}

/** Returns the published documents that our keys of a server come from, the newest last, with when they were fetched. */
export async function serverKeyAnswers(
  db: Read,
  server: ServerName,
): Promise<readonly Pick<ServerKeyAnswer, 'answerTs' | 'answer'>[]> {
  const rows = await db
    .selectFrom('server_key_answers')
    .select(['answer_ts', 'answer'])
    .where('server_name', '=', server)
    .orderBy('answer_ts')
    .execute()
  return rows.map((row) => ({ answerTs: row.answer_ts, answer: row.answer }))
}

/** Stores the keys that a server published, and deletes its documents from which no key is used any more. */
export async function putServerKeys(tx: Tx, answer: ServerKeyAnswer): Promise<void> {
  tx.touch(topics.keysOfServer(answer.server))
  const document = { server_name: answer.server, answer_ts: answer.answerTs, answer: answer.answer }
  await tx
    .insertInto('server_key_answers')
    .values(document)
    .onConflict((at) => at.columns(['server_name', 'answer_ts']).doUpdateSet({ answer: answer.answer }))
    .execute()
  for (const key of answer.keys) await putKey(tx, answer, key)
  await tx
    .deleteFrom('server_key_answers')
    .where('server_name', '=', answer.server)
    .where('answer_ts', 'not in', (from) =>
      from.selectFrom('server_keys').select('answer_ts').where('server_name', '=', answer.server),
    )
    .execute()
}

/** Stores a key of a server. The newest answer counts, because a reinstalled server may reuse an ID. */
async function putKey(tx: Tx, { server, answerTs }: ServerKeyAnswer, key: ServerKey): Promise<void> {
  const moved = { valid_until_ts: key.validUntilTs, is_old: key.isOld ? 1 : 0, answer_ts: answerTs }
  await tx
    .insertInto('server_keys')
    .values({ server_name: server, key_id: key.keyId, public_key: key.publicKey, ...moved })
    .onConflict((at) => at.columns(['server_name', 'key_id']).doUpdateSet({ ...moved, public_key: key.publicKey }))
    .execute()
}

function storedKey(row: Tables['server_keys']): StoredServerKey {
  return {
    server: row.server_name,
    keyId: row.key_id,
    publicKey: row.public_key,
    validUntilTs: row.valid_until_ts,
    isOld: row.is_old !== 0,
    answerTs: row.answer_ts,
  }
}

/** Deletes all keys of a server. */
export async function deleteServerKeys(tx: Tx, server: ServerName): Promise<void> {
  tx.touch(topics.keysOfServer(server))
  await tx.deleteFrom('server_keys').where('server_name', '=', server).execute()
  await tx.deleteFrom('server_key_answers').where('server_name', '=', server).execute()
}
