// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testServer } from '@myelin/testing/server'

type Person = { readonly userId: string; readonly token: string }
type Notification = {
  room_id: string
  read: boolean
  actions: unknown[]
  event: { content: { body?: string }; room_id?: string }
}
const V3 = '/_matrix/client/v3'
const name = encodeURIComponent

onEveryDatabase('the notifications of a user', (open) => {
  test('span all rooms, latest first, with their read state, in pages', async () => {
    const server = await testServer(open)
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    let txn = 0
    const ok = async (method: string, path: string, { token }: Person, body?: object) => {
      const answer = await server.call(method, path, { token, ...(body ? { body } : {}) })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body
    }
    const say = async (who: Person, room: string, body: string, more: object = {}) => {
      const path = `${V3}/rooms/${name(room)}/send/m.room.message/${++txn}`
      return String((await ok('PUT', path, who, { msgtype: 'm.text', body, ...more }))['event_id'])
    }
    const make = async () => {
      const room = String((await ok('POST', `${V3}/createRoom`, bob, { preset: 'public_chat' }))['room_id'])
      await say(bob, room, 'before alice')
      await ok('POST', `${V3}/rooms/${name(room)}/join`, alice, {})
      return room
    }
    const asked = async (query = '') => {
      const body = await ok('GET', `${V3}/notifications${query}`, alice)
      return { all: body['notifications'] as Notification[], next: body['next_token'] as string | undefined }
    }
    assert.deepEqual(await asked(), { all: [], next: undefined })
    const [one, two] = [await make(), await make()]
    const first = await say(bob, one, 'first')
    await say(alice, one, 'mine')
    await say(bob, two, 'silent', { msgtype: 'm.notice' })
    await say(bob, two, 'second', { 'm.mentions': { user_ids: [alice.userId] } })
    await say(bob, one, 'third')
    const gone = await say(bob, one, 'gone')
    await ok('PUT', `${V3}/rooms/${name(one)}/redact/${name(gone)}/${++txn}`, bob, {})
    const { all } = await asked()
    assert.deepEqual(
      all.map(({ event, room_id: room, read }) => [event.content.body, room, read]),
      [
        ['third', one, false],
        ['second', two, false],
        ['first', one, true],
      ],
    )
    assert.equal(all[0]?.event.room_id, undefined)
    assert.deepEqual(all[0]?.actions, ['notify', { set_tweak: 'sound', value: 'default' }])
    const highlights = await asked('?only=highlight')
    assert.deepEqual(
      highlights.all.map(({ event }) => event.content.body),
      ['second'],
    )
    assert.ok(highlights.all[0]?.actions.some((action) => JSON.stringify(action).includes('highlight')))
    const pages: (string | undefined)[][] = []
    for (let query = '?limit=1'; ; ) {
      const page = await asked(query)
      pages.push(page.all.map(({ event }) => event.content.body))
      if (page.next === undefined) break
      query = `?limit=1&from=${name(page.next)}`
    }
    assert.deepEqual(pages, [['third'], ['second'], ['first']])
    await ok('PUT', `${V3}/pushrules/global/room/${name(one)}`, alice, { actions: [] })
    assert.deepEqual(
      (await asked()).all.map(({ event }) => event.content.body),
      ['second'],
    )
    const refused = await server.call('GET', `${V3}/notifications?from=x`, { token: alice.token })
    assert.deepEqual([refused.status, refused.body['errcode']], [400, 'M_INVALID_PARAM'])
    assert.notEqual(first, gone)
    await server.close()
  })
})
