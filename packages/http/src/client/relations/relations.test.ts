// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'

type Person = { readonly userId: string; readonly token: string }
type ShownEvent = {
  event_id: string
  content: { body?: string }
  unsigned: { 'm.relations'?: Record<string, unknown> }
}
const V1 = '/_matrix/client/v1'
const V3 = '/_matrix/client/v3'
const name = encodeURIComponent

class Stage {
  #txn = 0
  readonly server: TestServer
  readonly alice: Person
  readonly bob: Person
  readonly room: string
  constructor(server: TestServer, alice: Person, bob: Person, room: string) {
    this.server = server
    this.alice = alice
    this.bob = bob
    this.room = room
  }

  async ok(method: string, path: string, { token }: Person, body?: object): Promise<Record<string, unknown>> {
    const answer = await this.server.call(method, path, { token, ...(body ? { body } : {}) })
    assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  async say(who: Person, body: string, relType?: string, parent?: string, more: object = {}): Promise<string> {
    const relation = relType === undefined ? {} : { 'm.relates_to': { rel_type: relType, event_id: parent } }
    const path = `${V3}/rooms/${name(this.room)}/send/m.room.message/${++this.#txn}`
    return String((await this.ok('PUT', path, who, { msgtype: 'm.text', body, ...relation, ...more }))['event_id'])
  }

  async react(who: Person, parent: string, key: string): Promise<void> {
    const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: parent, key } }
    await this.ok('PUT', `${V3}/rooms/${name(this.room)}/send/m.reaction/${++this.#txn}`, who, content)
  }

  async redact(who: Person, event: string): Promise<void> {
    await this.ok('PUT', `${V3}/rooms/${name(this.room)}/redact/${name(event)}/${++this.#txn}`, who, {})
  }

  async relations(who: Person, rest: string): Promise<Record<string, unknown>> {
    return this.ok('GET', `${V1}/rooms/${name(this.room)}/relations/${rest}`, who)
  }

  async threads(who: Person, query = ''): Promise<Record<string, unknown>> {
    return this.ok('GET', `${V1}/rooms/${name(this.room)}/threads${query}`, who)
  }

  async event(who: Person, id: string): Promise<ShownEvent> {
    return (await this.ok('GET', `${V3}/rooms/${name(this.room)}/event/${name(id)}`, who)) as unknown as ShownEvent
  }
}

const bodies = (page: Record<string, unknown>) => (page['chunk'] as ShownEvent[]).map(({ content }) => content.body)
const pages = async (ask: (query: string) => Promise<Record<string, unknown>>, first: string) => {
  const all: (string | undefined)[][] = []
  for (let query = first; ; ) {
    const page = await ask(query)
    all.push(bodies(page))
    const next = page['next_batch']
    if (next === undefined) return all
    query = `${first}&from=${name(next as string)}`
  }
}

onEveryDatabase('events that relate to others', (open) => {
  const onStage = async (play: (stage: Stage) => Promise<void>) => {
    const server = await testServer(open)
    try {
      const [alice, bob] = [await server.register('alice'), await server.register('bob')]
      const made = await server.call('POST', `${V3}/createRoom`, {
        token: alice.token,
        body: { preset: 'public_chat' },
      })
      const room = String(made.body['room_id'])
      const stage = new Stage(server, alice, bob, room)
      await stage.ok('POST', `${V3}/rooms/${name(room)}/join`, bob, {})
      await play(stage)
    } finally {
      await server.close()
    }
  }

  test('are returned by relation type and event type, in both directions, in pages', () =>
    onStage(async (stage) => {
      const { alice, bob } = stage
      const root = await stage.say(alice, 'root')
      for (const each of ['one', 'two', 'three', 'four', 'five']) await stage.say(bob, each, 'm.thread', root)
      await stage.say(alice, 'beside', 'm.reference', root)
      await stage.react(bob, root, 'yes')
      const at = name(root)
      assert.deepEqual(bodies(await stage.relations(alice, `${at}/m.thread`)), ['five', 'four', 'three', 'two', 'one'])
      assert.deepEqual(bodies(await stage.relations(alice, `${at}?limit=3`)), [undefined, 'beside', 'five'])
      assert.deepEqual(bodies(await stage.relations(alice, `${at}/m.annotation/m.reaction`)), [undefined])
      assert.deepEqual(bodies(await stage.relations(alice, `${at}/m.annotation/m.room.message`)), [])
      const paged = (query: string) => stage.relations(alice, `${at}/m.thread${query}`)
      assert.deepEqual(await pages(paged, '?limit=2'), [['five', 'four'], ['three', 'two'], ['one']])
      assert.deepEqual(await pages(paged, '?limit=3&dir=f'), [
        ['one', 'two', 'three'],
        ['four', 'five'],
      ])
      const [first, second] = [await paged('?limit=2'), await paged('?limit=4')]
      const [from, to] = [name(String(first['next_batch'])), name(String(second['next_batch']))]
      assert.deepEqual(bodies(await paged(`?from=${from}&to=${to}`)), ['three', 'two'])
      assert.deepEqual(bodies(await paged(`?from=${to}&to=${from}`)), [])
      assert.equal((await paged(`?from=${from}`))['prev_batch'], first['next_batch'])
    }))

  test('are returned recursively on request, within the filters', () =>
    onStage(async (stage) => {
      const { alice, bob } = stage
      const root = await stage.say(alice, 'root')
      const reply = await stage.say(bob, 'reply', 'm.thread', root)
      await stage.say(bob, '* edit', 'm.replace', reply, { 'm.new_content': { msgtype: 'm.text', body: 'edit' } })
      const plain = await stage.relations(alice, name(root))
      assert.deepEqual([bodies(plain), plain['recursion_depth']], [['reply'], undefined])
      const deep = await stage.relations(alice, `${name(root)}?recurse=true`)
      assert.deepEqual([bodies(deep), deep['recursion_depth']], [['* edit', 'reply'], 3])
      assert.deepEqual(bodies(await stage.relations(alice, `${name(root)}/m.replace?recurse=true`)), [])
    }))

  test('are not returned once they are redacted, nor to users who ignore their sender', () =>
    onStage(async (stage) => {
      const { alice, bob } = stage
      const root = await stage.say(alice, 'root')
      const gone = await stage.say(alice, 'gone', 'm.thread', root)
      await stage.say(bob, 'ignored', 'm.thread', root)
      await stage.redact(alice, gone)
      assert.deepEqual(bodies(await stage.relations(alice, name(root))), ['ignored'])
      const list = `${V3}/user/${name(alice.userId)}/account_data/m.ignored_user_list`
      await stage.ok('PUT', list, alice, { ignored_users: { [bob.userId]: {} } })
      assert.deepEqual(bodies(await stage.relations(alice, name(root))), [])
      assert.deepEqual(bodies(await stage.threads(alice)), [])
      assert.equal((await stage.event(alice, root)).unsigned['m.relations'], undefined)
    }))

  test('are not returned to users who may not see their parent', () =>
    onStage(async (stage) => {
      const { alice, server, room } = stage
      const root = await stage.say(alice, 'root')
      await stage.say(alice, 'reply', 'm.thread', root)
      const carol = await server.register('carol')
      const ask = async (path: string, token: string) => {
        const { status, body } = await server.call('GET', `${V1}/rooms/${name(room)}/${path}`, { token })
        return [status, body['errcode']]
      }
      assert.deepEqual(await ask(`relations/${name(root)}`, carol.token), [404, 'M_NOT_FOUND'])
      assert.deepEqual(await ask(`relations/$nothing`, alice.token), [404, 'M_NOT_FOUND'])
      assert.deepEqual(await ask('threads', carol.token), [403, 'M_FORBIDDEN'])
      assert.deepEqual(await ask('threads?from=x', alice.token), [400, 'M_INVALID_PARAM'])
      assert.deepEqual(await ask(`relations/${name(root)}?from=x`, alice.token), [400, 'M_INVALID_PARAM'])
    }))

  test('form threads, listed by their latest event', () =>
    onStage(async (stage) => {
      const { alice, bob } = stage
      const roots = new Map<string, string>()
      for (const each of ['a', 'b', 'c']) {
        roots.set(each, await stage.say(alice, each))
        await stage.say(each === 'b' ? alice : bob, `in ${each}`, 'm.thread', roots.get(each))
      }
      const last = await stage.say(bob, 'again in a', 'm.thread', roots.get('a'))
      const paged = (query: string) => stage.threads(bob, query)
      assert.deepEqual(bodies(await paged('')), ['a', 'c', 'b'])
      assert.deepEqual(await pages(paged, '?limit=1'), [['a'], ['c'], ['b']])
      assert.deepEqual(bodies(await paged('?include=participated')), ['a', 'c'])
      assert.deepEqual(bodies(await stage.threads(alice, '?include=participated')), ['a', 'c', 'b'])
      const [first] = (await paged(''))['chunk'] as ShownEvent[]
      const thread = first?.unsigned['m.relations']?.['m.thread'] as Record<string, unknown>
      assert.deepEqual([thread['count'], thread['current_user_participated']], [2, true])
      assert.equal((thread['latest_event'] as ShownEvent).event_id, last)
      await stage.redact(bob, last)
      assert.deepEqual(bodies(await paged('')), ['c', 'b', 'a'])
    }))

  test('form threads that users who ignore its author see without the content of the root', () =>
    onStage(async (stage) => {
      const { alice, bob } = stage
      const root = await stage.say(bob, 'secret')
      await stage.say(alice, 'reply', 'm.thread', root)
      const list = `${V3}/user/${name(alice.userId)}/account_data/m.ignored_user_list`
      await stage.ok('PUT', list, alice, { ignored_users: { [bob.userId]: {} } })
      const [shown] = (await stage.threads(alice))['chunk'] as ShownEvent[]
      assert.deepEqual([shown?.event_id, shown?.content], [root, {}])
      assert.deepEqual(bodies(await stage.threads(bob)), ['secret'])
    }))

  test('are bundled into thread roots, up to the event at which the reader left', () =>
    onStage(async (stage) => {
      const { alice, bob, room } = stage
      const root = await stage.say(alice, 'root')
      const reply = await stage.say(alice, 'reply', 'm.thread', root)
      const edit = await stage.say(alice, '* new', 'm.replace', reply, { 'm.new_content': { body: 'new' } })
      const thread = (await stage.event(bob, root)).unsigned['m.relations']?.['m.thread'] as {
        latest_event: ShownEvent
      }
      const inner = thread.latest_event.unsigned['m.relations']?.['m.replace'] as ShownEvent
      assert.equal(inner.event_id, edit)
      await stage.ok('POST', `${V3}/rooms/${name(room)}/leave`, bob, {})
      await stage.say(alice, '* later', 'm.replace', root, { 'm.new_content': { body: 'later' } })
      await stage.say(alice, 'later', 'm.thread', root)
      assert.equal((await stage.event(bob, root)).unsigned['m.relations'], undefined)
      assert.deepEqual(bodies(await stage.relations(bob, name(root))), ['reply'])
      assert.deepEqual(bodies(await stage.threads(bob)), ['root'])
    }))
})
