// SPDX-License-Identifier: Apache-2.0
import type { ServerName, UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dropExpiredMedia, fillMedia, mediaByName, mediaTopic, pendingExpiries, putMedia } from './media.ts'
import type { StoredMedia } from './media.ts'

const serverName = 'one.test' as ServerName
const alice = '@alice:one.test' as UserId
const bob = '@bob:one.test' as UserId
const content = { sha256: new Uint8Array(32).fill(7), sizeBytes: 3, contentType: 'text/plain', fileName: 'a"b' }

onEveryDatabase('media', (open) => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('put' as const),
      user: fc.constantFrom(alice, bob),
      expires: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    }),
    fc.record({ kind: fc.constant('fill' as const), at: fc.nat(9) }),
    fc.record({ kind: fc.constant('drop' as const), user: fc.constantFrom(alice, bob), now: fc.nat(9) }),
  )

  test('behave like a map, whatever is put, filled and dropped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const db = await open()
        const model = new Map<string, StoredMedia>()
        let serial = 0
        for (const each of steps) {
          if (each.kind === 'put') {
            const media: StoredMedia = {
              serverName,
              mediaId: `m${serial++}`,
              userId: each.user,
              createdTs: 5,
              lastAccessTs: 5,
              unusedExpiresTs: each.expires,
              content: each.expires === undefined ? content : undefined,
              isAuthenticatedOnly: serial % 2 === 0,
            }
            await db.write((tx) => putMedia(tx, media))
            model.set(media.mediaId, media)
          } else if (each.kind === 'fill') {
            const media = model.get(`m${each.at}`)
            const filled = { content, isAuthenticatedOnly: each.at % 2 === 0 }
            await db.write((tx) => fillMedia(tx, { serverName, mediaId: `m${each.at}` }, filled))
            if (media) model.set(media.mediaId, { ...media, ...filled, unusedExpiresTs: undefined })
          } else {
            await db.write((tx) => dropExpiredMedia(tx, each.user, each.now))
            for (const [id, { userId, unusedExpiresTs }] of model) {
              if (userId === each.user && unusedExpiresTs !== undefined && unusedExpiresTs <= each.now) model.delete(id)
            }
          }
        }
        for (let n = 0; n <= serial; n++) {
          const found = await mediaByName(db.read, { serverName, mediaId: `m${n}` })
          const same = found?.content
            ? { ...found, content: { ...found.content, sha256: new Uint8Array(found.content.sha256) } }
            : found
          assert.deepEqual(same, model.get(`m${n}`))
        }
        const pending = [...model.values()].flatMap(({ userId, unusedExpiresTs }) =>
          userId === alice && unusedExpiresTs !== undefined && unusedExpiresTs > 4 ? [unusedExpiresTs] : [],
        )
        assert.deepEqual(
          await pendingExpiries(db.read, alice, 4),
          pending.toSorted((a, b) => a - b),
        )
        await db.close()
      }),
      { numRuns: 15 },
    )
  })

  test('wake who waits for them when they come', async () => {
    const woken: string[] = []
    const db = await open({ committed: ({ topics }) => void woken.push(...topics) })
    const name = { serverName, mediaId: 'm' }
    await db.write((tx) => fillMedia(tx, name, { content, isAuthenticatedOnly: true }))
    assert.deepEqual(woken, [mediaTopic(name)])
    await db.close()
  })
})
