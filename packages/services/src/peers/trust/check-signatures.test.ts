// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { type SigningKey, signingKeyFromSeed } from '@myelin/matrix/signatures'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import { addSignature } from '@myelin/rules/events/signing'
import { draft, versionOf } from '@myelin/rules/fixtures/fixtures'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { testRuntime, testSigningKey } from '@myelin/testing/runtime'
import { keyDocument } from '@myelin/testing/fake-servers/honest-answers'
import { InProcessServers } from '@myelin/testing/fake-servers/in-process-servers'
import { checkEventSignatures } from './check-signatures.ts'

const NOW = 1_700_000_000_000
const DAY = 86_400_000
const bob = '@bob:two.test' as UserId
const carol = '@carol:three.test' as UserId
const v11 = versionOf('11')
const next = signingKeyFromSeed('next', Buffer.alloc(32, 9))

interface Change {
  readonly version?: RoomVersion
  readonly sender?: UserId
  readonly key?: SigningKey
  readonly at?: number
  readonly type?: string
  readonly content?: JsonObject
  readonly signedAs?: string
}

/** A message, or what is said, signed by its sender's server. */
function sent({
  version = v11,
  sender = bob,
  key,
  at = NOW,
  type = 'm.room.message',
  content = {},
  signedAs,
}: Change = {}): Pdu {
  const serverName = (signedAs ?? sender.slice(sender.indexOf(':') + 1)) as ServerName
  const state = type === 'm.room.member' ? { stateKey: sender } : {}
  const fields = draft(version, { sender, type, content, originServerTs: at, ...state })
  const signer = { serverName, key: key ?? testSigningKey(serverName) }
  return buildPdu(fields, version, signer, () => `$chosen:${serverName}`)
}

/** Returns which of these events have valid signatures, given the servers two.test and three.test. */
async function check(
  events: readonly Pdu[],
  { version = v11, prepare }: { version?: RoomVersion; prepare?: (servers: InProcessServers) => void } = {},
): Promise<{ readonly good: readonly boolean[]; readonly asked: number }> {
  const servers = new InProcessServers()
  for (const name of ['two.test', 'three.test']) servers.set(name, () => keyDocument(name, { validUntilTs: NOW + DAY }))
  prepare?.(servers)
  const rt = await testRuntime(undefined, {}, { transport: servers })
  const good = await checkEventSignatures(rt, version, events)
  await rt.close()
  return { good: events.map((event) => good.has(event.id)), asked: servers.asked.length }
}

describe('the signatures of events', () => {
  test('are checked with one question for each server, ours with our own key', async () => {
    const ours = sent({ sender: '@alice:one.test' as UserId })
    const events = [sent(), sent({ content: { a: 1 } }), sent({ sender: carol }), ours]
    assert.deepEqual(await check(events), { good: [true, true, true, true], asked: 2 })
  })

  const bad: Record<string, () => Pdu> = {
    'its sender’s server did not sign': () => sent({ signedAs: 'three.test' }),
    'another key signed': () => sent({ key: next }),
    'another key signed under a known ID': () => sent({ key: { ...next, id: 'ed25519:test' } }),
    'was sent by a server that is gone': () => sent({ sender: '@dave:four.test' as UserId }),
    'says to be from after the end of the key': () => sent({ at: NOW + 2 * DAY }),
    'says to be from the far future': () => sent({ at: 2 ** 50 }),
    'lost its signature': () => withJson(sent(), { signatures: {} }),
    'has a signature that is none': () => withJson(sent(), { signatures: { 'two.test': { 'ed25519:test': 'AAAA' } } }),
    'was changed after it was signed': () => withJson(sent(), { depth: 77 }),
    'lets somebody in whose server did not vouch': () => joined(),
  }
  for (const [name, make] of Object.entries(bad)) {
    test(`do not hold on an event that ${name}, and the others are not touched by it`, async () => {
      const { good } = await check([make(), sent({ content: { fine: true } })])
      assert.deepEqual(good, [false, true])
    })
  }

  test('hold on a restricted join that the other server signed too', async () => {
    const vouched = addSignature(joined(), v11, {
      serverName: 'three.test' as ServerName,
      key: testSigningKey('three.test'),
    })
    assert.deepEqual((await check([vouched])).good, [true])
  })

  test('hold where one of several keys of a server is known', async () => {
    const twice = addSignature(sent({ key: next }), v11, {
      serverName: 'two.test' as ServerName,
      key: testSigningKey('two.test'),
    })
    assert.deepEqual((await check([twice])).good, [true])
  })

  test('hold for ever in the room versions where the time of a key does not matter, also of a retired one', async () => {
    const prepare = (servers: InProcessServers): void =>
      servers.set('two.test', () =>
        keyDocument('two.test', { key: next, old: [[testSigningKey('two.test'), 5]], validUntilTs: NOW }),
      )
    const [old, recent] = [versionOf('4'), versionOf('5')]
    assert.deepEqual((await check([sent({ version: old })], { version: old, prepare })).good, [true])
    assert.deepEqual((await check([sent({ version: recent })], { version: recent, prepare })).good, [false])
    assert.deepEqual((await check([sent({ version: recent, at: 4 })], { version: recent, prepare })).good, [true])
  })

  test('are checked in slices, so that others get their turn', async () => {
    let turns = 0
    let isOver = false
    const count = (): void => {
      turns++
      if (!isOver) setImmediate(count)
    }
    // Our own, so that nothing is waited for but the slices.
    const sender = '@alice:one.test' as UserId
    const events = Array.from({ length: 400 }, (_, index) => sent({ sender, content: { index } }))
    const rt = await testRuntime()
    setImmediate(count)
    const good = await checkEventSignatures(rt, v11, events)
    isOver = true
    await rt.close()
    assert.equal(good.size, events.length)
    assert.ok(turns >= 5)
  })

  test('hold on an event of today beside one that claims the far future', async () => {
    assert.deepEqual((await check([sent({ at: 2 ** 50 }), sent()])).good, [false, true])
    assert.deepEqual((await check([sent(), sent({ at: 2 ** 50 })])).good, [true, false])
  })

  test('are checked by other threads where there are many, and come out the same', async () => {
    const events = Array.from({ length: 1203 }, (_, index) =>
      sent({ content: { index }, ...(index % 7 === 0 ? { key: next } : {}) }),
    )
    const { good } = await check(events)
    assert.deepEqual(
      good,
      events.map((_, index) => index % 7 !== 0),
    )
  })

  test('cost no more than a few keys where an event claims thousands', async () => {
    const claims = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`ed25519:k${index}`, 'AAAA']))
    const { good, asked } = await check([withJson(sent(), { signatures: { 'two.test': claims } })])
    assert.deepEqual([good, asked], [[false], 1])
  })
})

function joined(): Pdu {
  const content = { membership: 'join', join_authorised_via_users_server: carol }
  return sent({ type: 'm.room.member', content })
}

function withJson(event: Pdu, change: JsonObject): Pdu {
  return { ...event, json: { ...event.json, ...change } }
}
