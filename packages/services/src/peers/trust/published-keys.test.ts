// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeBase64 } from '@myelin/matrix/base64'
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { type SigningKey, signingKeyFromSeed, signingKeyIds, verifyJson } from '@myelin/matrix/signatures'
import { testRuntime } from '@myelin/testing/runtime'
import { keyDocument } from '@myelin/testing/fake-servers/honest-answers'
import { InProcessServers } from '@myelin/testing/fake-servers/in-process-servers'
import type { Runtime } from '../../runtime/runtime.ts'
import { answerKeyQuery } from '../../federation/answer-key-query.ts'
import { publishedKeys } from './published-keys.ts'
import { loadServerKeys } from './server-keys.ts'

const next = signingKeyFromSeed('next', Buffer.alloc(32, 9))
const notary = signingKeyFromSeed('notary', Buffer.alloc(32, 8))
const far = 'far.test' as ServerName
const DAY = 86_400_000

async function withKeys(play: (rt: Runtime, servers: InProcessServers) => Promise<void>): Promise<void> {
  const servers = new InProcessServers()
  const rt = await testRuntime(undefined, {}, { transport: servers })
  await play({ ...rt, otherKeys: { published: [next], notary: [notary], policy: undefined } }, servers)
  await rt.close()
}

/** The keys of ours that a document has a good signature of. */
function signers(document: JsonObject | undefined, rt: Runtime): string[] {
  assert.ok(document)
  const good = ({ id, publicKey }: SigningKey): boolean => verifyJson(document, rt.serverName, id, publicKey)
  const ours = [rt.signingKey, next, notary].filter(good).map(({ id }) => id)
  assert.deepEqual(signingKeyIds(document, rt.serverName).sort(), [...ours].sort())
  return ours
}

describe('several signing keys', () => {
  test('are all published, and each signs the document', () =>
    withKeys(async (rt) => {
      const document = publishedKeys(rt)
      assert.deepEqual(document['verify_keys'], {
        'ed25519:test': { key: encodeBase64(rt.signingKey.publicKey) },
        'ed25519:next': { key: encodeBase64(next.publicKey) },
      })
      assert.deepEqual(signers(document, rt), ['ed25519:test', 'ed25519:next'])
    }))

  test('are ours when we look at what we signed ourselves', () =>
    withKeys(async (rt) => {
      const ring = await loadServerKeys(rt, [{ server: rt.serverName, keyId: next.id, validAt: DAY }])
      assert.deepEqual(ring.keyFor(rt.serverName, next.id, DAY), next.publicKey)
      assert.equal(ring.keyFor(rt.serverName, notary.id, DAY), undefined)
    }))

  test('sign what we say about others, with those of a notary beside them', () =>
    withKeys(async (rt, servers) => {
      servers.set(far, () => keyDocument(far, { validUntilTs: rt.clock.now() + DAY }))
      const about = (server: ServerName) => ({ server, keyId: undefined, minimumValidUntilTs: 0 })
      const [other, own] = await answerKeyQuery(rt, '127.0.0.1', [about(far), about(rt.serverName)])
      assert.equal(other?.['server_name'], far)
      assert.deepEqual(signers(other, rt), ['ed25519:test', 'ed25519:next', 'ed25519:notary'])
      assert.deepEqual(signers(own, rt), ['ed25519:test', 'ed25519:next', 'ed25519:notary'])
    }))
})
