// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { pusher, pushStage } from '../../stages/push-stage.ts'
import type { Person } from '../../stages/push-stage.ts'

const unstable = '/_matrix/client/unstable'

/** Alice, bob and a thread of alice in their room. */
async function thread(open: OpenDatabase, t: TestContext) {
  const stage = await pushStage(open, t)
  const { server, alice, say, call, roomId } = stage
  const root = await say(alice, 'root')
  const inThread = { 'm.relates_to': { rel_type: 'm.thread', event_id: root } }
  const reply = (who: Person, body: string, more: JsonObject = {}) => say(who, body, { ...inThread, ...more })
  const path = (event: string) =>
    `${unstable}/io.element.msc4306/rooms/${encodeURIComponent(roomId)}/thread/${encodeURIComponent(event)}/subscription`
  const ask = (method: string, who: Person, body?: JsonObject, event = root) =>
    server.call(method, path(event), { token: who.token, ...(body ? { body } : {}) })
  const codes = async (answer: ReturnType<typeof ask>) => {
    const { status, body } = await answer
    return [status, body['errcode']]
  }
  const list = async (who: Person, query = '') =>
    (
      await server.call('GET', `${unstable}/io.element.msc4308/thread_subscriptions?dir=b${query}`, {
        token: who.token,
      })
    ).body
  const counts = async (who: Person) => {
    const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { unread_thread_notifications: true } } }))
    const { rooms } = (await call('GET', `sync?filter=${filter}`, who)) as {
      rooms: { join: Record<string, JsonObject> }
    }
    const threads = rooms.join[roomId]?.['unread_thread_notifications'] as Record<string, JsonObject> | undefined
    return threads?.[root] ?? { notification_count: 0, highlight_count: 0 }
  }
  return { ...stage, root, reply, ask, codes, list, counts }
}

onEveryDatabase('subscriptions to threads', (open) => {
  test('are made by hand or because of an event, read, and ended', async (t) => {
    const { bob, reply, ask, codes } = await thread(open, t)
    assert.deepEqual(await codes(ask('GET', bob)), [404, 'M_NOT_FOUND'])
    const cause = await reply(bob, 'a reply')
    assert.equal((await ask('PUT', bob, { automatic: cause })).status, 200)
    assert.deepEqual((await ask('GET', bob)).body, { automatic: true })
    assert.equal((await ask('PUT', bob, {})).status, 200)
    assert.deepEqual((await ask('GET', bob)).body, { automatic: false })
    assert.equal((await ask('PUT', bob, { automatic: cause })).status, 200)
    assert.deepEqual((await ask('GET', bob)).body, { automatic: false })
    assert.equal((await ask('DELETE', bob)).status, 200)
    assert.deepEqual(await codes(ask('GET', bob)), [404, 'M_NOT_FOUND'])
    assert.equal((await ask('DELETE', bob)).status, 200)
  })

  test('are not made because of an event that is older than the end of one', async (t) => {
    const { bob, reply, ask, codes } = await thread(open, t)
    const before = await reply(bob, 'before')
    assert.equal((await ask('PUT', bob, {})).status, 200)
    assert.equal((await ask('DELETE', bob)).status, 200)
    assert.deepEqual(await codes(ask('PUT', bob, { automatic: before })), [
      409,
      'IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION',
    ])
    const after = await reply(bob, 'after')
    assert.equal((await ask('PUT', bob, { automatic: after })).status, 200)
    assert.deepEqual((await ask('GET', bob)).body, { automatic: true })
  })

  test('are for threads and causes that the user can see, and causes in the thread', async (t) => {
    const { server, alice, bob, say, ask, codes } = await thread(open, t)
    const outside = await say(alice, 'outside')
    assert.deepEqual(await codes(ask('PUT', bob, { automatic: outside })), [400, 'IO.ELEMENT.MSC4306.M_NOT_IN_THREAD'])
    assert.deepEqual(await codes(ask('PUT', bob, { automatic: '$unknown' })), [404, 'M_NOT_FOUND'])
    assert.deepEqual(await codes(ask('PUT', bob, {}, '$unknown')), [404, 'M_NOT_FOUND'])
    const stranger = await server.register('stranger')
    for (const method of ['GET', 'PUT', 'DELETE'])
      assert.deepEqual(await codes(ask(method, stranger, method === 'PUT' ? {} : undefined)), [404, 'M_NOT_FOUND'])
  })

  test('are listed with the latest change first, a page at a time', async (t) => {
    const { alice, bob, say, ask, list, root, roomId } = await thread(open, t)
    const other = await say(alice, 'another root')
    await ask('PUT', bob, {})
    await ask('PUT', bob, {}, other)
    await ask('DELETE', bob, undefined, root)
    const first = await list(bob, '&limit=1')
    const stamp = (body: JsonObject, kind: string, event: string) =>
      ((body[kind] as JsonObject)[roomId] as Record<string, JsonObject>)[event]!['bump_stamp'] as number
    assert.deepEqual(
      Object.keys(first).toSorted((a, b) => a.localeCompare(b)),
      ['end', 'unsubscribed'],
    )
    const second = await list(bob, `&limit=1&from=${String(first['end'])}`)
    assert.ok(stamp(first as JsonObject, 'unsubscribed', root) > stamp(second as JsonObject, 'subscribed', other))
    const last = await list(bob, `&limit=1&from=${String(second['end'])}`)
    assert.deepEqual(last, {})
    assert.deepEqual(await list(alice), {})
  })

  test('decide which threads notify, in pushes and counts alike; mentions notify in all of them', async (t) => {
    const { alice, bob, call, reply, ask, counts, pushed } = await thread(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    await reply(alice, 'bob never subscribed')
    assert.equal((await counts(bob))['notification_count'], 1)
    assert.deepEqual(await pushed(), ['bob never subscribed'])
    await ask('PUT', bob, {})
    await reply(alice, 'subscribed')
    assert.deepEqual(await pushed(), ['bob never subscribed', 'subscribed'])
    assert.equal((await counts(bob))['notification_count'], 2)
    await ask('DELETE', bob)
    await reply(alice, 'silent')
    await reply(alice, 'for bob', { 'm.mentions': { user_ids: [bob.userId] } })
    assert.deepEqual(await pushed(), ['bob never subscribed', 'subscribed', 'for bob'])
    assert.deepEqual(await counts(bob), { notification_count: 1, highlight_count: 1 })
    // The same by rules of the user's own, which are evaluated one event at a time.
    await call('PUT', 'pushrules/global/content/cake', bob, { pattern: 'cake', actions: ['notify'] })
    assert.deepEqual(await counts(bob), { notification_count: 1, highlight_count: 1 })
  })

  test('have rules that a user can change', async (t) => {
    const { alice, bob, call, reply, ask, pushed } = await thread(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    await ask('PUT', bob, {})
    const rule = 'pushrules/global/postcontent/.io.element.msc4306.rule.subscribed_thread'
    assert.deepEqual(((await call('GET', rule, bob)) as JsonObject)['actions'], [
      'notify',
      { set_tweak: 'sound', value: 'default' },
    ])
    await call('PUT', `${rule}/actions`, bob, { actions: [] })
    await reply(alice, 'silent')
    assert.deepEqual(await pushed(), [])
  })
})
