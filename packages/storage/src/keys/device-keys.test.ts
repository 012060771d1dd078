// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { putCrossSigningKey, crossSigningKeysOf } from './cross-signing.ts'
import type { KeyUsage } from './cross-signing.ts'
import { deviceKeysOf, putDeviceKeys } from './device-keys.ts'
import { deviceChangesBetween, noteDeviceChange, noteSignature } from './device-lists.ts'
import { putDevice } from '../accounts/devices.ts'
import { putKeySignature, signaturesOn } from './key-signatures.ts'

const alice = '@alice:one.test' as UserId
const bob = '@bob:one.test' as UserId

onEveryDatabase('device keys', (open) => {
  test('are a map from device to what was uploaded last, and only real changes are announced', async () => {
    const upload = fc.record({
      localpart: fc.constantFrom('alice', 'bob'),
      deviceId: fc.constantFrom('PHONE', '__proto__'),
      keys: fc.constantFrom<JsonObject>({ keys: { a: '1' } }, { keys: { a: '2' }, algorithms: [] }),
    })
    const db = await open()
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(upload, { maxLength: 8 }), async (uploads) => {
        const server = `run${++run}.test`
        const model = new Map<string, JsonObject>()
        for (const { localpart, deviceId, keys } of uploads) {
          const user = `@${localpart}:${server}` as UserId
          const before = await db.position()
          await db.write((tx) => putDeviceKeys(tx, user, deviceId, keys))
          const changed = await deviceChangesBetween(db.read, bob, before, await db.position())
          assert.deepEqual(changed, model.get(`${user} ${deviceId}`) === keys ? [] : [user])
          model.set(`${user} ${deviceId}`, keys)
        }
        const held = await deviceKeysOf(db.read, [`@alice:${server}` as UserId, `@bob:${server}` as UserId])
        assert.equal(held.length, model.size)
        for (const { userId, deviceId, keys } of held) assert.deepEqual(keys, model.get(`${userId} ${deviceId}`))
      }),
      { numRuns: 40 },
    )
    await db.close()
  })

  test('come with the name of the device', async () => {
    const db = await open()
    await db.write(async (tx) => {
      await putDevice(tx, alice, { deviceId: 'PHONE', displayName: 'a phone', createdTs: 0 })
      await putDeviceKeys(tx, alice, 'PHONE', { keys: {} })
    })
    const [only] = await deviceKeysOf(db.read, [alice])
    assert.deepEqual(only, { userId: alice, deviceId: 'PHONE', keys: { keys: {} }, displayName: 'a phone' })
    await db.close()
  })

  test('that differ lose the signatures others made, and those with one more signature keep them', async () => {
    const db = await open()
    const made = { signer: alice, signingKeyId: 'ed25519:S', targetUser: alice, targetId: 'PHONE', signature: 'x' }
    await db.write(async (tx) => {
      await putDeviceKeys(tx, alice, 'PHONE', { keys: { a: '1' } })
      await putKeySignature(tx, made)
    })
    await db.write((tx) => putDeviceKeys(tx, alice, 'PHONE', { keys: { a: '1' }, signatures: { [alice]: {} } }))
    assert.deepEqual(await signaturesOn(db.read, alice, [alice]), [made])
    await db.write((tx) => putDeviceKeys(tx, alice, 'PHONE', { keys: { a: '2' } }))
    assert.deepEqual(await signaturesOn(db.read, alice, [alice]), [])
    await db.close()
  })
})

onEveryDatabase('signatures on keys', (open) => {
  test('are seen by the signer only, and by all users if the owner of the key made them', async () => {
    const db = await open()
    const by = (signer: UserId) => ({
      signer,
      signingKeyId: `ed25519:${signer}`,
      targetUser: bob,
      targetId: 'MASTER',
      signature: 'x',
    })
    await db.write(async (tx) => {
      assert.equal(await putKeySignature(tx, by(alice)), true)
      assert.equal(await putKeySignature(tx, by(alice)), false)
      assert.equal(await putKeySignature(tx, by(bob)), true)
      assert.equal(await putKeySignature(tx, { ...by(bob), signature: 'y' }), true)
    })
    const signers = async (viewer: UserId) =>
      new Map((await signaturesOn(db.read, viewer, [bob])).map(({ signer, signature }) => [signer, signature]))
    assert.deepEqual(
      await signers(alice),
      new Map([
        [alice, 'x'],
        [bob, 'y'],
      ]),
    )
    assert.deepEqual(await signers(bob), new Map([[bob, 'y']]))
    assert.deepEqual(await signaturesOn(db.read, bob, [alice]), [])
    await db.close()
  })

  test('that only the signer may see change the device list for the signer alone', async () => {
    const db = await open()
    await db.write((tx) => noteSignature(tx, alice, bob))
    const upTo = await db.position()
    assert.deepEqual(await deviceChangesBetween(db.read, alice, 0, upTo), [bob])
    assert.deepEqual(await deviceChangesBetween(db.read, bob, 0, upTo), [])
    await db.close()
  })
})

onEveryDatabase('cross-signing keys', (open) => {
  test('are one for each use, and a newer one takes the place', async () => {
    const put = fc.record({ usage: fc.constantFrom<KeyUsage>('master', 'self_signing'), value: fc.nat(2) })
    const db = await open()
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(put, { maxLength: 6 }), async (puts) => {
        const userId = `@alice:run${++run}.test` as UserId
        const model = new Map<string, JsonObject>()
        for (const { usage, value } of puts) {
          await db.write((tx) => putCrossSigningKey(tx, { userId, usage, key: { value } }))
          model.set(usage, { value })
        }
        const held = await crossSigningKeysOf(db.read, [userId, bob])
        assert.deepEqual(new Map(held.map(({ usage, key }) => [usage, key] as const)).size, model.size)
        for (const { usage, key } of held) assert.deepEqual(key, model.get(usage))
      }),
      { numRuns: 30 },
    )
    await db.close()
  })
})

onEveryDatabase('changes of device lists', (open) => {
  test('are returned after every earlier position, with one row per user', async () => {
    const change = fc.record({ localpart: fc.constantFrom('a', 'b'), isForBob: fc.boolean() })
    const db = await open()
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 8 }), async (changes) => {
        const userOf = (localpart: string) => `@${localpart}:run${run}.test` as UserId
        run++
        const stops = [await db.position()]
        for (const { localpart, isForBob } of changes) {
          const user = userOf(localpart)
          await db.write((tx) => (isForBob ? noteSignature(tx, bob, user) : noteDeviceChange(tx, user)))
          stops.push(await db.position())
        }
        const upTo = await db.position()
        for (const [at, after] of stops.entries()) {
          const later = changes.slice(at)
          const heard = new Set(await deviceChangesBetween(db.read, bob, after, upTo))
          assert.deepEqual(heard, new Set(later.map(({ localpart }) => userOf(localpart))))
          const others = later.filter(({ isForBob }) => !isForBob)
          const heardByAlice = new Set(await deviceChangesBetween(db.read, alice, after, upTo))
          assert.deepEqual(heardByAlice, new Set(others.map(({ localpart }) => userOf(localpart))))
        }
        const rows = await db.read
          .selectFrom('device_list_changes')
          .selectAll()
          .where('user_id', 'in', [userOf('a'), userOf('b')])
          .execute()
        assert.ok(rows.length <= 4)
      }),
      { numRuns: 30 },
    )
    await db.close()
  })
})
