// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerName } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import { putServerKeys, type ServerKeyAnswer, serverKeyAnswers, serverKeysOf } from './server-keys.ts'

const servers = ['a.test', 'b.test'] as ServerName[]

const key = fc.record(
  {
    keyId: fc.constantFrom('ed25519:1', 'ed25519:2', 'ed25519:3'),
    publicKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    validUntilTs: fc.nat(),
    isOld: fc.boolean(),
  },
  { noNullPrototype: true },
)
const publishing = fc.record(
  {
    server: fc.constantFrom(...servers),
    keys: fc.uniqueArray(key, { selector: ({ keyId }) => keyId, minLength: 1, maxLength: 3 }),
  },
  { noNullPrototype: true },
)

onEveryDatabase('server keys', (open) => {
  test('behave like a map from server and key to what was said last, with the documents it was said in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(publishing, { maxLength: 8 }), async (all) => {
        const db = await open()
        const model = new Map<string, ServerKeyAnswer['keys'][number] & { server: ServerName; answerTs: number }>()
        for (const [answerTs, { server, keys }] of all.entries()) {
          await db.write((tx) => putServerKeys(tx, { server, keys, answerTs, answer: `${server} ${answerTs}` }))
          for (const each of keys) model.set(`${server} ${each.keyId}`, { ...each, server, answerTs })
        }
        const found = await serverKeysOf(db.read, servers)
        const spelled = found.map((each) => [
          `${each.server} ${each.keyId}`,
          { ...each, publicKey: Uint8Array.from(each.publicKey) },
        ])
        assert.deepEqual(new Map(spelled as [string, never][]), model)
        for (const server of servers) {
          const times = [...model.values()].filter((each) => each.server === server).map(({ answerTs }) => answerTs)
          const documents = [...new Set(times)]
            .sort((a, b) => a - b)
            .map((answerTs) => ({ answerTs, answer: `${server} ${answerTs}` }))
          assert.deepEqual(await serverKeyAnswers(db.read, server), documents)
        }
        await db.close()
      }),
      { numRuns: 15 },
    )
  })
})
