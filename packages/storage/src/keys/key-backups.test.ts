// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countSessions, deleteSessions, heldSessions, putSessions, sessionsAfter } from './key-backup-sessions.ts'
import type { BackedUpSession, BackupPart } from './key-backup-sessions.ts'
import { createKeyBackup, deleteKeyBackup, keyBackup, moveBackupEtag, newestKeyBackup } from './key-backups.ts'

const alice = '@alice:one.test' as UserId
const backup = { algorithm: 'a', authData: '{}' }

onEveryDatabase('key backups', (open) => {
  test('are numbered upward, whatever was deleted, and the newest is the last that is left', async () => {
    const step = fc.oneof(fc.constant('create' as const), fc.nat(6))
    const db = await open()
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
        const user = `@alice:run${++run}.test` as UserId
        const left = new Set<number>()
        let last = 0
        for (const now of steps) {
          if (now === 'create') {
            assert.equal(await db.write((tx) => createKeyBackup(tx, user, backup)), ++last)
            left.add(last)
          } else {
            const isKnown = await db.write((tx) => deleteKeyBackup(tx, user, now))
            assert.equal(isKnown, now >= 1 && now <= last)
            left.delete(now)
          }
          const newest = await newestKeyBackup(db.read, user)
          assert.equal(newest?.version, left.size === 0 ? undefined : Math.max(...left))
          for (let version = 0; version <= last + 1; version++) {
            assert.equal((await keyBackup(db.read, user, version)) !== undefined, left.has(version))
          }
        }
      }),
      { numRuns: 30 },
    )
    await db.close()
  })

  test('count their changes', async () => {
    const db = await open()
    const version = await db.write((tx) => createKeyBackup(tx, alice, backup))
    assert.equal(await db.write((tx) => moveBackupEtag(tx, alice, version)), 1)
    assert.equal(await db.write((tx) => moveBackupEtag(tx, alice, version)), 2)
    assert.equal((await keyBackup(db.read, alice, version))?.etag, 2)
    await db.close()
  })

  test('hold a key per room and session, read in pages of any size and deleted in parts', async () => {
    const session = fc.record(
      {
        roomId: fc.constantFrom('!a', '!b', '!C'),
        sessionId: fc.constantFrom('s', 'S', '__proto__'),
        firstMessageIndex: fc.nat(),
        forwardedCount: fc.nat(9),
        isVerified: fc.boolean(),
        sessionData: fc.json(),
      },
      { noNullPrototype: true },
    )
    const sessions = fc.uniqueArray(session, { maxLength: 6, selector: (one) => `${one.roomId} ${one.sessionId}` })
    const step = fc.oneof(
      fc.record({ put: sessions }),
      fc.record({
        drop: fc.record({ roomId: fc.constantFrom('!a', '!b'), sessionId: fc.constantFrom('s', undefined) }),
      }),
    )
    const db = await open()
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 5 }), fc.integer({ min: 1, max: 4 }), async (steps, size) => {
        const part = { user: `@alice:run${++run}.test` as UserId, version: 1 }
        let model = new Map<string, BackedUpSession>()
        for (const now of steps) {
          if ('put' in now) {
            await db.write((tx) => putSessions(tx, part, now.put))
            for (const one of now.put) model.set(`${one.roomId} ${one.sessionId}`, one)
          } else {
            const isDropped = (one: BackedUpSession) =>
              one.roomId === now.drop.roomId && (now.drop.sessionId ?? one.sessionId) === one.sessionId
            const rest = new Map([...model].filter(([, one]) => !isDropped(one)))
            const wereThere = await db.write((tx) => deleteSessions(tx, { ...part, ...now.drop }))
            assert.equal(wereThere, rest.size < model.size)
            model = rest
          }
        }
        const read = await allPages(part, size)
        assert.equal(read.length, model.size)
        assert.deepEqual(new Map(read.map((one) => [`${one.roomId} ${one.sessionId}`, one])), model)
        assert.equal(await countSessions(db.read, part), model.size)
        const held = await heldSessions(db.read, part, [...model.values(), { roomId: '!no', sessionId: 's' }])
        assert.equal(held.length, model.size)
      }),
      { numRuns: 40 },
    )
    await db.close()

    async function allPages(part: BackupPart, size: number): Promise<BackedUpSession[]> {
      const read: BackedUpSession[] = []
      for (;;) {
        const page = await sessionsAfter(db.read, part, read.at(-1), size)
        if (page.length === 0) return read
        read.push(...page)
      }
    }
  })

  test('lose their keys when they are deleted, and no other backup does', async () => {
    const db = await open()
    const key = { roomId: '!a', sessionId: 's', firstMessageIndex: 0, forwardedCount: 0, isVerified: true }
    await db.write(async (tx) => {
      for (let version = 1; version <= 2; version++) {
        await createKeyBackup(tx, alice, backup)
        await putSessions(tx, { user: alice, version }, [{ ...key, sessionData: '{}' }])
      }
      await deleteKeyBackup(tx, alice, 1)
    })
    assert.equal(await countSessions(db.read, { user: alice, version: 1 }), 0)
    assert.equal(await countSessions(db.read, { user: alice, version: 2 }), 1)
    await db.close()
  })
})
