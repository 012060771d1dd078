// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { join, path, stage } from '../../stages/federated-stage.ts'
import type { User } from '../../stages/federated-stage.ts'

async function say(who: User, roomId: Parameters<typeof path>[0], body: string): Promise<void> {
  const target = `/_matrix/client/v3/${path(roomId, `send/m.room.message/${body.replaceAll(' ', '-')}`)}`
  await who.server.call('PUT', target, { token: who.token, body: { msgtype: 'm.text', body } })
}

async function found({ server, token }: User, term: string): Promise<string[]> {
  await server.workers.search?.settled()
  const criteria = { search_term: term, order_by: 'recent', filter: { limit: 100 } }
  const { body } = await server.call('POST', '/_matrix/client/v3/search', {
    token,
    body: { search_categories: { room_events: criteria } },
  })
  const { results } = (body['search_categories'] as Found).room_events
  return results.map(({ result }) => result.content.body)
}

type Found = { room_events: { results: { result: { content: { body: string } } }[] } }

onEveryDatabase('a search in a room of several servers', (open) => {
  test('finds what others send, and history once it was fetched, in the order of its time', async () => {
    const { network, alice, bob, roomId } = await stage(open)
    for (let index = 0; index < 30; index++) {
      network.clock.advance(60_000)
      await say(alice, roomId, `word ${index}`)
    }
    assert.equal((await join(bob, roomId)).status, 200)
    await network.settle()
    network.clock.advance(60_000)
    await say(alice, roomId, 'word after the join')
    await network.settle()
    const before = await found(bob, 'word')
    for (let from = '', rounds = 0; rounds < 20; rounds++) {
      const query = `messages?dir=b&limit=10${from === '' ? '' : `&from=${from}`}`
      const { body } = await bob.server.call('GET', `/_matrix/client/v3/${path(roomId, query)}`, { token: bob.token })
      if (body['end'] === undefined) break
      from = body['end'] as string
    }
    const after = await found(bob, 'word')
    const ofAlice = await found(alice, 'word')
    await network.close()
    const all = ['word after the join', ...Array.from({ length: 30 }, (_, index) => `word ${29 - index}`)]
    assert.equal(before[0], 'word after the join')
    assert.ok(before.length < all.length)
    assert.deepEqual([after, ofAlice], [all, all])
  })
})
