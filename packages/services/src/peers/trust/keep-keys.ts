// SPDX-License-Identifier: Apache-2.0
import {
  deleteServerKeys,
  putServerKeys,
  type ServerKeyAnswer,
  serverKeysOf,
} from '@myelin/storage/federation/server-keys'
import type { Runtime } from '../../runtime/runtime.ts'
import { settledKey } from './key-ring.ts'

/** A server that has had more keys than this is not an honest one, or a very old one: it begins anew. */
const MAX_KEYS_HELD = 256

/** Keeps what servers, or notaries for them, said about their keys. */
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
