// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import type { OpenDatabase } from '@myelin/testing/databases'
import { authorRoom } from '@myelin/testing/room-author'
import { testServer } from '@myelin/testing/server'

const CLIENT = '/_matrix/client/v3'

type Event = { readonly event_id: string; readonly type: string; readonly content: { readonly body?: string } }
type Snapshot = {
  readonly membership?: string
  readonly messages: { readonly chunk: readonly Event[]; readonly start?: string; readonly end: string }
  readonly state: readonly Event[]
  readonly visibility: string
  readonly account_data: readonly { readonly type: string; readonly content: object }[]
}

async function stage(open: OpenDatabase) {
  const server = await testServer(open)
  const [alice, bob, carol] = [
    await server.register('alice'),
    await server.register('bob'),
    await server.register('carol'),
  ]
  const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat', visibility: 'public' })
  await room.member(bob.userId, bob.userId, 'join')
  const get = (who: { readonly token: string }, path: string) =>
    server.call('GET', `${CLIENT}/${path}`, { token: who.token })
  const snapshot = async (who: { readonly token: string }, query = '') => {
    const { status, body } = await get(who, `rooms/${room.roomId}/initialSync${query}`)
    return { status, body: body as unknown as Snapshot }
  }
  return { server, alice, bob, carol, room, get, snapshot }
}

const bodiesIn = ({ messages }: Snapshot) => messages.chunk.map(({ content }) => content.body)

onEveryDatabase('the initial sync of a room', (open) => {
  test('has its newest messages, oldest first, its state and what the user keeps on it', async () => {
    const { server, alice, room, get, snapshot } = await stage(open)
    for (const word of ['one', 'two', 'three']) await room.say(alice.userId, word)
    const tags = `${CLIENT}/user/${alice.userId}/rooms/${room.roomId}/tags/u.work`
    await server.call('PUT', tags, { token: alice.token, body: { order: 0.5 } })
    const { body } = await snapshot(alice, '?limit=2')
    const earlier = await get(alice, `rooms/${room.roomId}/messages?dir=b&limit=1&from=${body.messages.start}`)
    const nothing = await snapshot(alice, '?limit=1000000')
    await server.close()
    assert.deepEqual([bodiesIn(body), body.membership, body.visibility], [['two', 'three'], 'join', 'public'])
    assert.deepEqual(
      (earlier.body['chunk'] as Event[]).map(({ content }) => content.body),
      ['one'],
    )
    assert.ok(body.state.some(({ type }) => type === 'm.room.create'))
    assert.deepEqual(body.account_data, [{ type: 'm.tag', content: { tags: { 'u.work': { order: 0.5 } } } }])
    assert.equal(nothing.body.messages.start, undefined)
  })

  test('ends where the user left, and can be had by strangers where anybody may read the room', async () => {
    const { server, alice, bob, carol, room, snapshot } = await stage(open)
    await room.say(alice.userId, 'before')
    const refused = await snapshot(carol)
    await room.member(bob.userId, bob.userId, 'leave')
    await room.say(alice.userId, 'after')
    const ofBob = await snapshot(bob)
    await room.send(alice.userId, 'm.room.history_visibility', { history_visibility: 'world_readable' }, '')
    await room.say(alice.userId, 'open')
    const ofCarol = await snapshot(carol)
    await server.close()
    assert.equal(refused.status, 403)
    assert.equal(ofBob.body.membership, 'leave')
    assert.equal(bodiesIn(ofBob.body).includes('before'), true)
    assert.equal(bodiesIn(ofBob.body).includes('after'), false)
    assert.equal(ofCarol.body.membership, undefined)
    assert.equal(bodiesIn(ofCarol.body).at(-1), 'open')
  })
})

onEveryDatabase('an event by its ID alone', (open) => {
  test('is read as in its room, and is not there for others', async () => {
    const { server, alice, bob, carol, room, get } = await stage(open)
    const id = await room.say(alice.userId, 'word')
    await room.member(bob.userId, bob.userId, 'leave')
    const later = await room.say(alice.userId, 'later')
    const there = await get(alice, `rooms/${room.roomId}/event/${id}`)
    const [here, ofBob, hidden, ofCarol, unknown] = [
      await get(alice, `events/${id}`),
      await get(bob, `events/${id}`),
      await get(bob, `events/${later}`),
      await get(carol, `events/${id}`),
      await get(alice, 'events/$unknown'),
    ]
    await server.close()
    assert.deepEqual(here.body, there.body)
    assert.deepEqual([ofBob.status, ofBob.body['event_id']], [200, id])
    for (const { status, body } of [hidden, ofCarol, unknown]) {
      assert.deepEqual([status, body['errcode']], [404, 'M_NOT_FOUND'])
    }
  })
})
