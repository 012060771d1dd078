// SPDX-License-Identifier: Apache-2.0
import {
  deleteServerKeys,
  putServerKeys,
  type ServerKeyAnswer,
  serverKeysOf,
} from '@myelin/storage/federation/server-keys'
import type { Runtime } from '../../runtime/runtime.ts'
import { settledKey } from './key-ring.ts'

/** The most keys stored for a server; above it the list is started anew. */
const MAX_KEYS_HELD = 256

/** Stores the keys that servers, or notaries for them, sent. */
export async function keepServerKeys(rt: Pick<Runtime, 'db'>, answers: readonly ServerKeyAnswer[]): Promise<void> {
  if (answers.length === 0) return
  await rt.db.write(async (tx) => {
    for (const answer of answers) {
      const held = new Map((await serverKeysOf(tx, [answer.server])).map((key) => [key.keyId, key]))
      const keys = answer.keys.filter((key) => settledKey(held.get(key.keyId), key) === key)
      const fresh = keys.filter((key) => !held.has(key.keyId)).length
      if (held.size + fresh > MAX_KEYS_HELD) await deleteServerKeys(tx, answer.server)
      await putServerKeys(tx, { ...answer, keys })
    }
  })
}
