// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { onEveryDatabase } from '../databases.ts'
import type { OpenDatabase } from '../databases.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'

const v3 = '/_matrix/client/v3'
type Person = Awaited<ReturnType<TestServer['register']>>
type Count = { readonly notification_count: number; readonly highlight_count: number }
type Entry = {
  readonly unread_notifications: Count
  readonly unread_thread_notifications?: Readonly<Record<string, Count>>
}

/** A room of two users, and what they do in it. With `hasOwnRules` the counts come from alice's own push rules. */
async function meeting(open: OpenDatabase, t: TestContext, hasOwnRules: boolean) {
  const server = await testServer(open)
  t.after(() => server.close())
  const [alice, bob] = [await server.register('alice'), await server.register('bob')]
  const call = async (method: string, path: string, { token }: Person, body?: unknown) => {
    const answer = await server.call(method, `${v3}/${path}`, { token, ...(body === undefined ? {} : { body }) })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body
  }
  if (hasOwnRules) await call('PUT', 'pushrules/global/content/cake', alice, { pattern: 'cake', actions: ['notify'] })
  const roomId = String((await call('POST', 'createRoom', alice, { preset: 'public_chat' }))['room_id'])
  const room = `rooms/${encodeURIComponent(roomId)}`
  await call('POST', `${room}/join`, bob, {})
  let serial = 0
  const say = async (who: Person, { root, mentions }: { root?: string; mentions?: Person } = {}) => {
    const relation = root === undefined ? {} : { 'm.relates_to': { rel_type: 'm.thread', event_id: root } }
    const named = mentions === undefined ? {} : { 'm.mentions': { user_ids: [mentions.userId] } }
    const path = `${room}/send/m.room.message/${++serial}`
    const sent = await call('PUT', path, who, { msgtype: 'm.text', body: 'hello', ...relation, ...named })
    return String(sent['event_id'])
  }
  const read = (who: Person, event: string, thread = 'main') =>
    call('POST', `${room}/receipt/m.read/${encodeURIComponent(event)}`, who, { thread_id: thread })
  const ignore = (who: Person, whom?: Person) =>
    call('PUT', `user/${who.userId}/account_data/m.ignored_user_list`, who, {
      ignored_users: whom ? { [whom.userId]: {} } : {},
    })
  const counts = async (who: Person, areThreadsApart = true) => {
    const timeline = { unread_thread_notifications: areThreadsApart }
    const filter = encodeURIComponent(JSON.stringify({ room: { timeline } }))
    const rooms = (await call('GET', `sync?filter=${filter}`, who))['rooms'] as { join: Record<string, Entry> }
    const entry = rooms.join[roomId]
    return [entry?.unread_notifications, entry?.unread_thread_notifications ?? {}] as const
  }
  const notified = async (who: Person) =>
    ((await call('GET', 'notifications', who))['notifications'] as unknown[]).length
  return { alice, bob, say, read, ignore, counts, notified }
}

const NONE: Count = { notification_count: 0, highlight_count: 0 }

onEveryDatabase('unread counts', (open) => {
  for (const hasOwnRules of [false, true]) {
    const whose = hasOwnRules ? 'with rules of the user' : 'with the default rules'

    test(`do not count what the user sent before they wrote in a thread, ${whose}`, async (t) => {
      const { alice, bob, say, read, counts } = await meeting(open, t, hasOwnRules)
      const root = await say(bob)
      await read(alice, root)
      for (let count = 0; count < 3; count++) await say(alice)
      await say(alice, { root })
      assert.deepEqual(await counts(alice), [NONE, {}])
      await say(alice, { root })
      await say(bob)
      await say(alice, { root })
      assert.deepEqual(await counts(alice), [{ notification_count: 1, highlight_count: 0 }, {}])
      await say(alice)
      assert.deepEqual(await counts(alice), [NONE, {}])
    })

    test(`do not count messages, mentions and threads of an ignored user, ${whose}`, async (t) => {
      const { alice, bob, say, ignore, counts, notified } = await meeting(open, t, hasOwnRules)
      const root = await say(alice)
      await say(bob)
      await say(bob, { mentions: alice })
      await say(bob, { root, mentions: alice })
      const seen = [
        { notification_count: 2, highlight_count: 1 },
        { [root]: { notification_count: 1, highlight_count: 1 } },
      ]
      assert.deepEqual([await counts(alice), await notified(alice)], [seen, 3])
      await ignore(alice, bob)
      assert.deepEqual([await counts(alice), await notified(alice)], [[NONE, {}], 0])
      assert.deepEqual(await counts(alice, false), [NONE, {}])
      await ignore(alice)
      assert.deepEqual([await counts(alice), await notified(alice)], [seen, 3])
    })
  }
})
