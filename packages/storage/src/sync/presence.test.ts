// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import { lostDevices, presenceOf, putPresence, putPresentDevice, silentSince } from './presence.ts'
import type { Presence } from './presence.ts'

const users = ['@alice:one.test', '@bob:one.test', '@carol:two.test'] as UserId[]

onEveryDatabase('presence', (open) => {
  test('is a map from users to what was said of them last, found by when that was', async () => {
    const word = fc.record(
      {
        userId: fc.constantFrom(...users),
        state: fc.constantFrom('online' as const, 'unavailable' as const, 'offline' as const),
        statusMessage: fc.option(fc.constantFrom('here', 'there'), { nil: undefined }),
        lastActiveTs: fc.nat(50),
        isActive: fc.boolean(),
        saidTs: fc.nat(50),
      },
      { noNullPrototype: true },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 8 }), fc.nat(50), async (words, since) => {
        const db = await open()
        const model = new Map<UserId, Omit<Presence, 'position'>>()
        for (const each of words) {
          await db.write((tx) => putPresence(tx, each))
          model.set(each.userId, each)
        }
        const plain = (all: readonly Presence[]) =>
          all.map((presence) => ({ ...presence, position: 0 })).toSorted((a, b) => (a.userId < b.userId ? -1 : 1))
        const wanted = [...model.values()]
          .map((presence) => ({ ...presence, position: 0 }))
          .toSorted((a, b) => (a.userId < b.userId ? -1 : 1))
        assert.deepEqual(plain(await presenceOf(db.read, users)), wanted)
        const unheard = wanted.filter(({ state, saidTs }) => state !== 'offline' && saidTs < since)
        assert.deepEqual(plain(await silentSince(db.read, since, 10)), unheard)
        await db.close()
      }),
      { numRuns: 6 },
    )
  })

  test('of devices is deleted when they go offline, and expires without renewal', async () => {
    const db = await open()
    const device = (deviceId: string, untilTs: number) => ({
      userId: users[0]!,
      deviceId,
      state: 'online' as const,
      untilTs,
    })
    await db.write((tx) => putPresentDevice(tx, device('PHONE', 10)))
    const both = await db.write((tx) => putPresentDevice(tx, device('LAPTOP', 20)))
    assert.deepEqual(both.map(({ deviceId }) => deviceId).toSorted(), ['LAPTOP', 'PHONE'])
    assert.deepEqual(
      (await lostDevices(db.read, 15, 10)).map(({ deviceId }) => deviceId),
      ['PHONE'],
    )
    const left = await db.write((tx) => putPresentDevice(tx, { ...device('PHONE', 10), state: 'offline' }))
    assert.deepEqual(left, [device('LAPTOP', 20)])
    assert.deepEqual(await lostDevices(db.read, 15, 10), [])
    await db.close()
  })
})
