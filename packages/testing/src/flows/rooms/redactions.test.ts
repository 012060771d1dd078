// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { authorRoom } from '../../room-author.ts'
import { testServer } from '../../server.ts'

const v3 = '/_matrix/client/v3'

async function scene(open: Parameters<typeof testServer>[0]) {
  const server = await testServer(open)
  const [alice, bob] = [await server.register('alice'), await server.register('bob')]
  const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
  await room.member(bob.userId, bob.userId, 'join')
  const at = `${v3}/rooms/${encodeURIComponent(room.roomId)}`
  const read = async (who: { token: string }, id: string, query = '') => {
    const path = `${at}/event/${encodeURIComponent(id)}${query}`
    const { status, body } = await server.call('GET', path, { token: who.token })
    return status === 200 ? ((body['content'] as Record<string, unknown>)['body'] ?? 'gone') : body['errcode']
  }
  let sent = 0
  const redact = async (who: { token: string }, id: string, body: object, txnId = `${sent++}`) => {
    const path = `${at}/redact/${encodeURIComponent(id)}/${txnId}`
    const answer = await server.call('PUT', path, { token: who.token, body })
    assert.equal(answer.status, 200)
    return String(answer.body['event_id'])
  }
  const relate = (sender: string, relType: string, to: string, body: string) =>
    room.send(sender, 'm.room.message', {
      msgtype: 'm.text',
      body,
      'm.relates_to': { rel_type: relType, event_id: to },
    })
  return { server, alice, bob, room, read, redact, relate }
}

onEveryDatabase('a redaction', (open) => {
  test('of related events redacts those of the named kinds that the sender may redact (MSC3912)', async (t) => {
    const { server, alice, bob, room, read, redact, relate } = await scene(open)
    t.after(() => server.close())
    const root = await room.say(bob.userId, 'root')
    const edit = await relate(bob.userId, 'm.replace', root, 'edit')
    const answer = await relate(bob.userId, 'm.thread', root, 'answer')
    const foreign = await relate(alice.userId, 'm.replace', root, 'of alice')
    const body = { 'org.matrix.msc3912.with_relations': ['m.replace'] }
    const first = await redact(bob, root, body, 'same')
    const after = async () => Promise.all([root, edit, answer, foreign].map((id) => read(alice, id)))
    assert.deepEqual(await after(), ['gone', 'gone', 'answer', 'of alice'])
    // A repeated request finishes what was left, and makes no second redaction.
    const late = await relate(bob.userId, 'm.replace', root, 'late')
    assert.equal(await redact(bob, root, body, 'same'), first)
    assert.equal(await read(alice, late), 'gone')
    await redact(alice, root, { with_rel_types: ['*'] })
    assert.deepEqual(await after(), ['gone', 'gone', 'gone', 'gone'])
  })

  test('leaves the content to moderators who ask for it (MSC2815)', async (t) => {
    const { server, alice, bob, room, read, redact } = await scene(open)
    t.after(() => server.close())
    const id = await room.say(bob.userId, 'said')
    await redact(alice, id, {})
    const query = '?fi.mau.msc2815.include_unredacted_content=true'
    assert.equal(await read(alice, id), 'gone')
    assert.equal(await read(alice, id, query), 'said')
    assert.equal(await read(bob, id, query), 'M_FORBIDDEN')
    // Rights over another room do not help.
    const other = await authorRoom(server.rt, bob.userId)
    const path = `${v3}/rooms/${encodeURIComponent(other.roomId)}/event/${encodeURIComponent(id)}${query}`
    assert.equal((await server.call('GET', path, { token: bob.token })).status, 404)
  })
})

onEveryDatabase('a filter of messages', (open) => {
  test('selects by how events relate to others (MSC3874)', async (t) => {
    const { server, alice, bob, room, relate } = await scene(open)
    t.after(() => server.close())
    const root = await room.say(bob.userId, 'root')
    await relate(bob.userId, 'm.replace', root, 'edit')
    await relate(bob.userId, 'm.thread', root, 'answer')
    const bodies = async (filter: object) => {
      const whole = encodeURIComponent(JSON.stringify({ types: ['m.room.message'], ...filter }))
      const path = `${v3}/rooms/${encodeURIComponent(room.roomId)}/messages?dir=f&filter=${whole}`
      const { body } = await server.call('GET', path, { token: alice.token })
      return (body['chunk'] as { content: { body: string } }[]).map(({ content }) => content.body)
    }
    assert.deepEqual(await bodies({}), ['root', 'edit', 'answer'])
    for (const prefix of ['', 'org.matrix.msc3874.']) {
      assert.deepEqual(await bodies({ [`${prefix}rel_types`]: ['m.thread'] }), ['answer'])
      assert.deepEqual(await bodies({ [`${prefix}not_rel_types`]: ['m.thread'] }), ['root', 'edit'])
      assert.deepEqual(await bodies({ [`${prefix}rel_types`]: [] }), [])
    }
  })
})
