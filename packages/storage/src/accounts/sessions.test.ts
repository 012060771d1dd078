// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { putAccount } from './accounts.ts'
import type { Database } from '../engine/database.ts'
import { putDevice, putSighting } from './devices.ts'
import { deleteTokens, putSuccessor, putTokens, refreshTokenOf, spendPredecessor, tokenOwner } from './sessions.ts'

const alice = '@alice:one.test' as UserId

async function withAlice(db: Database): Promise<void> {
  await db.write((tx) =>
    putAccount(tx, { userId: alice, passwordHash: null, createdTs: 1, isAdmin: true, isGuest: false }),
  )
}

const pair = (serial: number, deviceId = 'D') => ({
  userId: alice,
  deviceId,
  accessToken: `access ${serial}`,
  expiresTs: serial,
  refresh: { token: `refresh ${serial}`, expiresTs: null, sessionExpiresTs: 7 },
})

describe('sessions', () => {
  onEveryDatabase('tokens', (open) => {
    test('stand for an account and a device', async () => {
      const db = await open()
      await withAlice(db)
      await db.write(async (tx) => {
        await putDevice(tx, alice, { deviceId: 'D', displayName: null, createdTs: 1 })
        await putSighting(tx, { userId: alice, deviceId: 'D', ts: 5, address: '::1', userAgent: undefined })
        await putTokens(tx, pair(9))
      })
      assert.deepEqual(await tokenOwner(db.read, 'access 9'), {
        userId: alice,
        deviceId: 'D',
        expiresTs: 9,
        predecessorId: null,
        lastSeenTs: 5,
        isAdmin: true,
        isGuest: false,
        isLocked: false,
      })
      assert.equal(await tokenOwner(db.read, 'refresh 9'), undefined)
      assert.equal(await refreshTokenOf(db.read, 'access 9'), undefined)
      await db.close()
    })

    test('live and die like the pairs in a list, whatever is issued, spent and deleted', async () => {
      const step = fc.oneof(
        fc.record({ kind: fc.constant('issue' as const), at: fc.nat(1) }),
        fc.record({ kind: fc.constant('spend' as const), at: fc.nat(9) }),
        fc.record({ kind: fc.constant('delete' as const), at: fc.nat(1) }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const db = await open()
          await withAlice(db)
          let model: { serial: number; refreshId: number; deviceId: string }[] = []
          for (const [serial, { kind, at }] of steps.entries()) {
            const deviceId = `device ${at}`
            await db.write(async (tx) => {
              if (kind === 'issue') {
                const refreshId = await putTokens(tx, pair(serial, deviceId))
                model.push({ serial, refreshId: refreshId ?? -1, deviceId })
              } else if (kind === 'delete') {
                await deleteTokens(tx, alice, deviceId)
                model = model.filter((held) => held.deviceId !== deviceId)
              } else {
                await spendPredecessor(tx, model[at]?.refreshId ?? -1)
                model = model.filter((_, index) => index !== at)
              }
            })
          }
          for (const serial of steps.keys()) {
            const expected = model.find((held) => held.serial === serial)?.deviceId
            assert.equal((await tokenOwner(db.read, `access ${serial}`))?.deviceId, expected)
            assert.equal((await refreshTokenOf(db.read, `refresh ${serial}`))?.deviceId, expected)
          }
          await db.close()
        }),
        { numRuns: 8 },
      )
    })

    test('know the pair they replaced, until it is spent', async () => {
      const db = await open()
      await withAlice(db)
      const [first, second] = await db.write(async (tx) => {
        const ids = [(await putTokens(tx, pair(1))) ?? -1, (await putTokens(tx, pair(2))) ?? -1] as const
        await putSuccessor(tx, ids[0], ids[1])
        return ids
      })
      assert.equal((await refreshTokenOf(db.read, 'refresh 1'))?.nextId, second)
      assert.equal((await refreshTokenOf(db.read, 'refresh 2'))?.predecessorId, first)
      assert.equal((await tokenOwner(db.read, 'access 2'))?.predecessorId, first)
      await db.write((tx) => spendPredecessor(tx, first))
      assert.equal((await tokenOwner(db.read, 'access 2'))?.predecessorId, null)
      assert.equal(await tokenOwner(db.read, 'access 1'), undefined)
      await db.close()
    })
  })
})
