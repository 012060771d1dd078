// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { endAccount } from '@myelin/services/accounts/deactivate-account'
import { joinRoom } from '@myelin/services/rooms/membership'
import { onEveryDatabase } from '../databases.ts'
import type { OpenDatabase } from '../databases.ts'
import { authorRoom } from '../room-author.ts'
import { testServer } from '../server.ts'

onEveryDatabase('the erased messages of a user', (open) => {
  test('is whole for those who were there, and what a redaction leaves for who came later, wherever they look', async () => {
    const { server, read, carol, erase, bob, dora } = await stage(open)
    const before = await read(dora)
    await erase(carol)
    const [ofBob, ofDora] = [await read(bob), await read(dora)]
    await server.close()
    assert.deepEqual(new Set(Object.values(before)), new Set(['whole']))
    assert.deepEqual(ofBob, before)
    const redacted = Object.keys(before).map((name) => [name, 'redacted'])
    assert.deepEqual(ofDora, Object.fromEntries(redacted))
  })

  test('takes nothing of the room, nor of what others said', async () => {
    const { server, room, carol, erase, dora, get, said } = await stage(open)
    const topic = await room.send(carol.userId, 'm.room.topic', { topic: 'a secret' }, '')
    await erase(carol)
    const state = await get(dora, `rooms/${room.roomId}/state/m.room.topic`)
    const event = await get(dora, `rooms/${room.roomId}/event/${topic}`)
    const bobs = await get(dora, `rooms/${room.roomId}/event/${said.byBob}`)
    await server.close()
    assert.deepEqual(state, { topic: 'a secret' })
    for (const { content } of [event, bobs] as { content: object }[]) {
      assert.match(JSON.stringify(content), /a secret/)
    }
  })

  test('is not revealed by a redaction, and not hidden by an unreadable edit', async () => {
    const { server, room, carol, erase, bob, dora, get, said } = await stage(open)
    const eve = await server.register('eve')
    const redact = `/_matrix/client/v3/rooms/${room.roomId}/redact/${said.byBob}/1`
    await server.call('PUT', redact, { token: carol.token, body: { reason: 'a secret' } })
    await room.member(eve.userId, eve.userId, 'join')
    await room.member(bob.userId, bob.userId, 'leave')
    await room.send(carol.userId, 'm.room.message', {
      body: 'edited',
      'm.new_content': { body: 'edited' },
      'm.relates_to': { rel_type: 'm.replace', event_id: said.byCarol },
    })
    await joinRoom(server.rt, bob.userId as UserId, room.roomId, {})
    const edit = (event: unknown) => JSON.stringify((event as Relating).unsigned['m.relations']?.['m.replace'] ?? null)
    const path = `rooms/${room.roomId}/event/${said.byCarol}`
    const whole = edit(await get(bob, path))
    await erase(carol)
    const [hidden, shown] = [edit(await get(bob, path)), edit(await get(dora, path))]
    const because = async (person: Person) =>
      JSON.stringify((await get(person, `rooms/${room.roomId}/event/${said.byBob}`))['unsigned'])
    const [received, untold] = [await because(dora), await because(eve)]
    await server.close()
    assert.match(whole, /edited/)
    assert.equal(hidden, 'null')
    assert.match(shown, /edited/)
    assert.match(received, /redacted_because.*a secret/)
    assert.match(untold, /redacted_because/)
    assert.doesNotMatch(untold, /a secret/)
  })
})

type Relating = { unsigned: { 'm.relations'?: { 'm.replace'?: unknown } } }

/** Carol speaks while Bob is there; Dora comes afterwards. */
async function stage(open: OpenDatabase) {
  const server = await testServer(open)
  const [alice, bob, carol, dora] = [
    await server.register('alice'),
    await server.register('bob'),
    await server.register('carol'),
    await server.register('dora'),
  ]
  const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
  await room.member(bob.userId, bob.userId, 'join')
  await room.member(carol.userId, carol.userId, 'join')
  await room.send(alice.userId, 'm.room.power_levels', { users: { [carol.userId]: 50 } }, '')
  const byBob = await room.say(bob.userId, 'a secret of bob')
  const byCarol = await room.say(carol.userId, 'a secret')
  const root = await room.say(bob.userId, 'a root')
  const inThread = { rel_type: 'm.thread', event_id: root }
  await room.send(carol.userId, 'm.room.message', { body: 'a secret', 'm.relates_to': inThread })
  await room.member(dora.userId, dora.userId, 'join')
  const get = async ({ token }: Person, path: string) =>
    (await server.call('GET', `/_matrix/client/v3/${path}`, { token })).body
  const sightOf = (body: unknown) => (wordsOf(body, carol.userId).includes('a secret') ? 'whole' : 'redacted')
  const rest = `rooms/${room.roomId}`
  const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 50 } } }))
  const federated = encodeURIComponent(
    JSON.stringify({ event_format: 'federation', room: { timeline: { limit: 50 } } }),
  )
  const read = async (person: Person) => ({
    event: sightOf(await get(person, `${rest}/event/${byCarol}`)),
    messages: sightOf(await get(person, `${rest}/messages?dir=b&limit=50`)),
    context: sightOf(await get(person, `${rest}/context/${byCarol}`)),
    surroundings: sightOf(await get(person, `${rest}/context/${byBob}?limit=10`)),
    relations: sightOf(await get(person, `../v1/${rest}/relations/${root}`)),
    threads: sightOf(await get(person, `../v1/${rest}/threads`)),
    sync: sightOf(await get(person, `sync?filter=${filter}`)),
    'sync as servers see it': sightOf(await get(person, `sync?filter=${federated}`)),
  })
  const erase = async ({ userId }: Person) => endAccount(server.rt, userId as UserId, true, async () => {})
  return { server, room, alice, bob, carol, dora, get, read, erase, said: { byBob, byCarol } }
}

type Person = { readonly userId: string; readonly token: string }

/** Returns the contents of a sender's messages, wherever they are in an answer. */
function wordsOf(body: unknown, sender: string): string {
  if (Array.isArray(body)) return body.map((each) => wordsOf(each, sender)).join(' ')
  if (typeof body !== 'object' || body === null) return ''
  const event = body as { sender?: string; content?: unknown }
  const own = event.sender === sender ? JSON.stringify(event.content) : ''
  return [own, ...Object.values(body).map((each) => wordsOf(each, sender))].join(' ')
}
