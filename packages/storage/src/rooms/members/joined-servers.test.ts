// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import { authorRoom } from '@myelin/testing/room-author'
import { testRuntime } from '@myelin/testing/runtime'
import fc from 'fast-check'
import { joinedServers, usersOfServer } from './joined-servers.ts'
import { internUsers } from '../../engine/names.ts'

const alice = '@alice:one.test'
const guests = ['@a:two.test', '@b:two.test', '@c:three.test:8448']

onEveryDatabase('the servers in a room', (open) => {
  test('are those of its members, counted once or kept up step by step', async () => {
    const rt = await testRuntime(open)
    const step = fc.record({ user: fc.constantFrom(...guests), isJoin: fc.boolean(), isLookedAt: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const room = await authorRoom(rt, alice, { preset: 'public_chat' })
        const inside = new Set<string>([alice])
        const check = async () => {
          const counts = new Map<string, number>()
          for (const user of inside) {
            const server = serverOf(user as UserId)
            counts.set(server, (counts.get(server) ?? 0) + 1)
          }
          const found = await joinedServers(rt.db.read, room.roomId)
          assert.deepEqual(new Map<string, number>(found), counts)
        }
        for (const { user, isJoin, isLookedAt } of steps) {
          if (isJoin || inside.has(user)) await room.member(user, user, isJoin ? 'join' : 'leave')
          if (isJoin) inside.add(user)
          else inside.delete(user)
          if (isLookedAt) await check()
        }
        await check()
        rt.db.read.caches.clear()
        await check()
      }),
      { numRuns: 10 },
    )
    await rt.close()
  })

  test('have their own users, and none of a server with a similar name', async () => {
    const rt = await testRuntime(open)
    const room = await authorRoom(rt, alice, { preset: 'public_chat' })
    for (const user of [...guests, '@d:evil-two.test', '@e:x:two.test']) {
      await room.member(user, user, 'join').catch(() => undefined)
    }
    await room.member(alice, '@b:two.test', 'ban')
    const found = async () => {
      const users = await usersOfServer(rt.db.read, room.roomId, 'two.test' as ServerName)
      return users.map(({ userId, membership }) => `${userId} ${membership}`).toSorted()
    }
    const expected = ['@a:two.test join', '@b:two.test ban']
    assert.deepEqual(await found(), expected)
    // Of a server that is known for many users elsewhere, too.
    const elsewhere = Array.from({ length: 600 }, (_, number) => `@u${number}:two.test` as UserId)
    await rt.db.write((tx) => internUsers(tx, elsewhere))
    assert.deepEqual(await found(), expected)
    await rt.close()
  })
})
