// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { authorRoom } from '../../room-author.ts'
import { searchStage } from '../../stages/search-stage.ts'
import type { FoundEvents, FoundGroup } from '../../stages/search-stage.ts'

const idsOf = ({ results }: FoundEvents) => results.map(({ result }) => result.event_id)

onEveryDatabase('the results of a search', (open) => {
  test('are the best first, or the newest first, with what they are found by', async () => {
    const { server, alice, room, search } = await searchStage(open)
    const best = await room.say(alice.userId, 'Martian')
    const worse = await room.say(alice.userId, 'The Martians came, and with them many others, of whom little is known')
    const [ranked, recent] = [await search(alice, 'martian'), await search(alice, 'martian', { order_by: 'recent' })]
    const nothing = await search(alice, '!?')
    await server.close()
    assert.deepEqual(
      [idsOf(ranked), idsOf(recent)],
      [
        [best, worse],
        [worse, best],
      ],
    )
    assert.deepEqual(
      [ranked.count, ranked.highlights.toSorted(), ranked.next_batch],
      [2, ['martian', 'martians'], undefined],
    )
    assert.equal(ranked.results[0]?.context, undefined)
    assert.equal(ranked.results[0]?.result.room_id, room.roomId)
    assert.ok((ranked.results[0]?.rank ?? 0) > (ranked.results[1]?.rank ?? 1))
    assert.deepEqual(nothing, { count: 0, highlights: [], results: [] })
  })

  test('are found by the key that was asked for: body, name, or topic, which may have two forms', async () => {
    const { server, alice, room, search } = await searchStage(open)
    const body = await room.say(alice.userId, 'a word')
    const name = await room.send(alice.userId, 'm.room.name', { name: 'Room of a word' }, '')
    const topic = await room.send(
      alice.userId,
      'm.room.topic',
      { topic: 'word', 'm.topic': { 'm.text': [{ mimetype: 'text/html', body: '<b>html</b>' }, { body: 'plain' }] } },
      '',
    )
    await room.send(alice.userId, 'm.room.name', { name: 'not a state event, word' })
    await room.send(alice.userId, 'm.room.topic', { topic: 7 }, 'word')
    await room.send(alice.userId, 'm.room.message', { body: { word: 1 } })
    const by = async (term: string, keys?: readonly string[]) =>
      idsOf(await search(alice, term, { order_by: 'recent', ...(keys ? { keys } : {}) }))
    const found = {
      all: await by('word'),
      body: await by('word', ['content.body']),
      name: await by('word', ['content.name']),
      others: await by('word', ['content.topic', 'content.name', 'content.name']),
      plain: await by('plain'),
      html: await by('html'),
      none: await by('word', []),
    }
    await server.close()
    const others = [topic, name]
    assert.deepEqual(found, {
      all: [...others, body],
      body: [body],
      name: [name],
      others,
      plain: [topic],
      html: [],
      none: [],
    })
  })

  test('obey every part of the filter', async () => {
    const { server, alice, bob, room, search } = await searchStage(open)
    const other = await authorRoom(server.rt, alice.userId, {})
    const first = await room.say(alice.userId, 'word')
    const ofBob = await room.say(bob.userId, 'word')
    const image = await room.send(alice.userId, 'm.room.message', {
      body: 'word',
      url: 'mxc://one.test/a',
      msgtype: 'm.image',
    })
    const elsewhere = await other.say(alice.userId, 'word')
    await room.send(bob.userId, 'm.reaction', {
      'm.relates_to': { rel_type: 'm.annotation', event_id: first, key: 'x' },
    })
    const by = async (filter: object) => idsOf(await search(alice, 'word', { order_by: 'recent', filter }))
    const found = {
      rooms: await by({ rooms: [other.roomId, '!unknown'] }),
      'no rooms': await by({ rooms: [] }),
      'not rooms': await by({ not_rooms: [other.roomId] }),
      senders: await by({ senders: [bob.userId, '@nobody:one.test'] }),
      'no senders': await by({ senders: ['@nobody:one.test'] }),
      'not senders': await by({ not_senders: [alice.userId] }),
      types: await by({ types: ['m.room.name'] }),
      'not types': await by({ not_types: ['m.room.*'] }),
      url: await by({ contains_url: true }),
      'no url': await by({ contains_url: false, not_senders: [bob.userId] }),
      related: await by({ related_by_rel_types: ['m.annotation'] }),
      limit: await by({ limit: 1 }),
      none: await by({ limit: 0 }),
    }
    await server.close()
    assert.deepEqual(found, {
      rooms: [elsewhere],
      'no rooms': [],
      'not rooms': [image, ofBob, first],
      senders: [ofBob],
      'no senders': [],
      'not senders': [ofBob],
      types: [],
      'not types': [],
      url: [image],
      'no url': [elsewhere, first],
      related: [first],
      limit: [elsewhere],
      none: [],
    })
  })

  for (const order of ['rank', 'recent'] as const) {
    test(`come in groups, each of which has its own pages, in the order ${order}`, async () => {
      const { server, alice, bob, room, search } = await searchStage(open)
      const other = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
      await other.member(bob.userId, bob.userId, 'join')
      const said: { id: string; room: string; sender: string }[] = []
      for (let index = 0; index < 24; index++) {
        const [place, who] = [index % 3 === 0 ? other : room, index % 2 === 0 ? bob : alice]
        const id = await place.say(who.userId, `word ${'and more '.repeat(index % 5)}`)
        said.push({ id, room: place.roomId, sender: who.userId })
      }
      const criteria = {
        order_by: order,
        filter: { limit: 3 },
        groupings: { group_by: [{ key: 'room_id' }, { key: 'sender' }] },
      }
      const first = await search(alice, 'word', criteria)
      /** All events of a group, those of the first page and what its tokens lead to. */
      const allOf = async (key: string, value: string) => {
        const ids: string[] = []
        let group: FoundGroup | undefined = first.groups?.[key]?.[value]
        for (ids.push(...(group?.results ?? [])); group?.next_batch !== undefined; ) {
          const page = await search(alice, 'word', criteria, group.next_batch)
          assert.ok(page.results.every(({ result }) => (key === 'sender' ? result.sender : result.room_id) === value))
          assert.equal(page.count, first.count)
          group = page.groups?.[key]?.[value]
          ids.push(...(group?.results ?? []))
          // The token of the page leads on in the group, too.
          assert.equal(page.next_batch === undefined, group?.next_batch === undefined)
        }
        return ids
      }
      const found: [string, readonly string[]][] = []
      for (const [key, groups] of Object.entries(first.groups ?? {}))
        for (const value of Object.keys(groups)) found.push([value, (await allOf(key, value)).toSorted()])
      await server.close()
      const inAll = (value: string) =>
        said.flatMap(({ id, room: own, sender }) => (own === value || sender === value ? [id] : [])).toSorted()
      assert.equal(first.count, 24)
      assert.ok(found.length >= 2)
      for (const [value, ids] of found) assert.deepEqual(ids, inAll(value), value)
      const rooms = Object.values(first.groups?.['room_id'] ?? {})
      assert.deepEqual(
        rooms.map((group) => group.order).toSorted((a, b) => a - b),
        rooms.map((_, index) => index + 1),
      )
      assert.deepEqual(rooms.flatMap((group) => group.results).toSorted(), idsOf(first).toSorted())
    })
  }

  test('have the events around them, and the names that their senders had', async () => {
    const { server, alice, bob, room, search } = await searchStage(open)
    const before: string[] = []
    for (let index = 0; index < 7; index++) before.push(await room.say(alice.userId, `before ${index}`))
    await room.send(
      bob.userId,
      'm.room.member',
      { membership: 'join', displayname: 'Bobby', avatar_url: 'mxc://one.test/bob' },
      bob.userId,
    )
    const word = await room.say(bob.userId, 'word')
    const after: string[] = []
    for (let index = 0; index < 7; index++) after.push(await room.say(alice.userId, `after ${index}`))
    await room.send(bob.userId, 'm.room.member', { membership: 'join', displayname: 'Robert' }, bob.userId)
    const around = async (context: object) =>
      (await search(alice, 'word', { event_context: context })).results[0]?.context
    const [some, usual, none] = [
      await around({ before_limit: 3, after_limit: 2, include_profile: true }),
      await around({}),
      await around({ before_limit: 0, after_limit: 0 }),
    ]
    const messages = async (from = '', dir = 'b') => {
      const path = `/_matrix/client/v3/rooms/${room.roomId}/messages?dir=${dir}&from=${from}&limit=2`
      const { body } = await server.call('GET', path, { token: alice.token })
      return (body['chunk'] as { event_id: string }[]).map((event) => event.event_id)
    }
    const [older, newer] = [await messages(some?.start), await messages(some?.end, 'f')]
    await server.close()
    const idsIn = (events: readonly { event_id: string }[] = []) => events.map((event) => event.event_id)
    assert.equal(idsIn(some?.events_before).length, 3)
    assert.deepEqual(idsIn(some?.events_before).slice(1), [before[6], before[5]])
    assert.deepEqual(idsIn(some?.events_after), after.slice(0, 2))
    assert.deepEqual(
      [older, newer],
      [
        [before[4], before[3]],
        [after[2], after[3]],
      ],
    )
    assert.deepEqual(some?.profile_info, {
      [alice.userId]: { displayname: 'alice' },
      [bob.userId]: { displayname: 'Bobby', avatar_url: 'mxc://one.test/bob' },
    })
    assert.deepEqual([usual?.events_before.length, usual?.events_after.length, usual?.profile_info], [5, 5, undefined])
    assert.deepEqual([none?.events_before, none?.events_after], [[], []])
    assert.notEqual(word, undefined)
  })

  test('have no events around them from after the searcher left', async () => {
    const { server, alice, bob, room, search } = await searchStage(open)
    await room.send(alice.userId, 'm.room.history_visibility', { history_visibility: 'world_readable' }, '')
    await room.send(alice.userId, 'm.room.name', { name: 'Then' }, '')
    await room.say(alice.userId, 'word')
    await room.member(bob.userId, bob.userId, 'leave')
    await room.say(alice.userId, 'later')
    await room.send(alice.userId, 'm.room.name', { name: 'Now' }, '')
    const found = await search(bob, 'word', { event_context: {}, include_state: true })
    await server.close()
    const [state] = Object.values(found.state ?? {})
    assert.doesNotMatch(JSON.stringify(found), /later|Now/)
    assert.match(JSON.stringify(state), /Then/)
  })

  test('have the state of their rooms, on request with the members who sent them only', async () => {
    const { server, alice, bob, room, search } = await searchStage(open)
    await room.say(bob.userId, 'word')
    const membersIn = async (filter: object) => {
      const { state = {} } = await search(alice, 'word', { include_state: true, filter })
      const events = state[room.roomId] ?? []
      assert.ok(events.some(({ type }) => type === 'm.room.create'))
      return events.flatMap(({ type, state_key: key }) => (type === 'm.room.member' ? [key] : [])).toSorted()
    }
    const [all, lazy] = [await membersIn({}), await membersIn({ lazy_load_members: true })]
    const without = await search(alice, 'word')
    await server.close()
    assert.deepEqual([all, lazy, without.state], [[alice.userId, bob.userId], [bob.userId], undefined])
  })

  test('have their edits and threads bundled', async () => {
    const { server, alice, room, search } = await searchStage(open)
    const first = await room.say(alice.userId, 'word')
    await room.send(alice.userId, 'm.room.message', {
      body: 'in the thread',
      'm.relates_to': { rel_type: 'm.thread', event_id: first },
    })
    const [result] = (await search(alice, 'word')).results
    await server.close()
    assert.match(JSON.stringify(result?.result.unsigned), /m\.thread/)
  })
})
