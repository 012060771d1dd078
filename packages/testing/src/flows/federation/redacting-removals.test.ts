// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId } from '@myelin/matrix/ids'
import { eventById } from '@myelin/storage/rooms/events/events'
import { MAX_REDACTED_AT_ONCE } from '@myelin/storage/rooms/events/redactions'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { ForeignAuthor } from '../../foreign-author.ts'
import { authorOf } from '../../room-author.ts'
import { create, join, path, post, stage } from '../../stages/federated-stage.ts'
import type { User } from '../../stages/federated-stage.ts'
import { testServer } from '../../server.ts'

const FLAG = 'org.matrix.msc4293.redact_events'

type Event = {
  readonly event_id: string
  readonly content: { readonly body?: string; readonly topic?: string }
  readonly unsigned: { readonly redacted_because?: { readonly event_id: string; readonly content: object } }
}

/** Returns what a user reads of an event. */
async function read(who: User, roomId: string, id: string): Promise<Event> {
  const url = `/_matrix/client/v3/${path(roomId as never, `event/${encodeURIComponent(id)}`)}`
  const { status, body } = await who.server.call('GET', url, { token: who.token })
  assert.equal(status, 200, JSON.stringify(body))
  return body as unknown as Event
}

const isRedacted = async (who: User, roomId: string, id: string) =>
  (await read(who, roomId, id)).unsigned.redacted_because !== undefined

onEveryDatabase('a kick or ban with redact_events', (open) => {
  for (const version of ['1', '10', '12']) {
    for (const kind of ['ban', 'kick']) {
      test(`redacts the target's events in version ${version}, and nothing else (${kind})`, async () => {
        const { server, alice, bob, roomId, say } = await stageHere(open, version)
        const [ofAlice, ofBob] = [await say(alice, 'stays'), await say(bob, 'goes')]
        const other = await create(alice, { preset: 'public_chat' })
        await join(bob, other, [])
        const elsewhere = await authorOf(server.rt, other).say(bob.userId, 'in another room')
        const body = { user_id: bob.userId, reason: 'spam', [FLAG]: true }
        assert.equal((await post(alice, path(roomId, kind), body)).status, 200)
        const redacted = await read(alice, roomId, ofBob)
        assert.deepEqual(redacted.content, {})
        const { membership, ...because } = (redacted.unsigned.redacted_because?.content ?? {}) as Record<
          string,
          unknown
        >
        assert.equal(membership, kind === 'ban' ? 'ban' : 'leave')
        assert.deepEqual(because, { reason: 'spam', [FLAG]: true })
        assert.equal((await read(alice, roomId, ofAlice)).content.body, 'stays')
        assert.equal((await read(alice, other, elsewhere)).content.body, 'in another room')
        const sync = await server.call('GET', '/_matrix/client/v3/sync', { token: alice.token })
        assert.doesNotMatch(JSON.stringify(sync.body), /"goes"/)
        await server.close()
      })
    }
  }

  test('redacts more events than one unit of work may', async () => {
    const { server, alice, bob, roomId, say } = await stageHere(open)
    const said: string[] = []
    for (let count = 0; count <= MAX_REDACTED_AT_ONCE * 2; count++) said.push(await say(bob, `${count}`))
    await post(alice, path(roomId, 'ban'), { user_id: bob.userId, [FLAG]: true })
    for (const id of [said[0], said[MAX_REDACTED_AT_ONCE], said.at(-1)])
      assert.ok(await isRedacted(alice, roomId, id ?? ''))
    const { body } = await server.call('GET', `/_matrix/client/v3/${path(roomId, 'messages?dir=f&limit=1000')}`, {
      token: alice.token,
    })
    const whole = (body['chunk'] as Event[]).filter(({ content }) => content.body !== undefined)
    assert.deepEqual(whole, [])
    await server.close()
  })

  test('leaves create and server ACL events as they are', async () => {
    const { server, alice, bob, roomId } = await stageHere(open, '10')
    const author = authorOf(server.rt, roomId)
    await author.send(alice.userId, 'm.room.power_levels', { users: { [alice.userId]: 100, [bob.userId]: 99 } }, '')
    const acl = await author.send(bob.userId, 'm.room.server_acl', { allow: ['*'] }, '')
    const topic = await author.send(bob.userId, 'm.room.topic', { topic: 'goes' }, '')
    assert.equal((await post(alice, path(roomId, 'ban'), { user_id: bob.userId, [FLAG]: true })).status, 200)
    assert.deepEqual((await read(alice, roomId, acl)).content, { allow: ['*'] })
    assert.deepEqual((await read(alice, roomId, topic)).content, {})
    await server.close()
  })

  const ignored = [
    ['is false', { [FLAG]: false }, {}],
    ['is null', { [FLAG]: null }, {}],
    ['is absent', {}, {}],
    ['is not the sender’s to decide: `redact` needs more power', { [FLAG]: true }, { redact: 60 }],
    [
      'is not the sender’s to decide: redactions need more power',
      { [FLAG]: true },
      { events: { 'm.room.redaction': 60 } },
    ],
  ] as const
  for (const [name, flag, levels] of ignored) {
    test(`redacts nothing where the flag ${name}`, async () => {
      const { server, alice, bob, carol, roomId, say } = await stageHere(open, '10')
      const users = { [alice.userId]: 100, [carol.userId]: 50 }
      await authorOf(server.rt, roomId).send(alice.userId, 'm.room.power_levels', { users, ...levels }, '')
      const said = await say(bob, 'stays')
      assert.equal((await post(carol, path(roomId, 'ban'), { user_id: bob.userId, ...flag })).status, 200)
      assert.equal((await read(alice, roomId, said)).content.body, 'stays')
      await server.close()
    })
  }

  test('is refused with a flag that is no boolean, and then nobody is banned', async () => {
    const { server, alice, bob, roomId, say } = await stageHere(open)
    const { status, body } = await post(alice, path(roomId, 'ban'), { user_id: bob.userId, [FLAG]: 'yes' })
    assert.deepEqual([status, body['errcode']], [400, 'M_BAD_JSON'])
    await say(bob, 'still here')
    await server.close()
  })

  test('redacts nothing that the user sends after an unban', async () => {
    const { server, alice, bob, roomId, say } = await stageHere(open)
    const before = await say(bob, 'before')
    await post(alice, path(roomId, 'ban'), { user_id: bob.userId, [FLAG]: true })
    await post(alice, path(roomId, 'unban'), { user_id: bob.userId })
    assert.equal((await join(bob, roomId, [])).status, 200)
    const after = await say(bob, 'after')
    assert.ok(await isRedacted(alice, roomId, before))
    assert.equal((await read(alice, roomId, after)).content.body, 'after')
    await server.close()
  })

  test('is ignored in a leave of one’s own', async () => {
    const { server, alice, bob, roomId, say } = await stageHere(open)
    const said = await say(bob, 'stays')
    const content = { membership: 'leave', [FLAG]: true }
    await authorOf(server.rt, roomId).send(bob.userId, 'm.room.member', content, bob.userId)
    assert.equal((await read(alice, roomId, said)).content.body, 'stays')
    await server.close()
  })
})

onEveryDatabase('a kick or ban with redact_events, between servers,', (open) => {
  test('redacts on every server, also what arrives later', async () => {
    const { network, alice, bob, roomId } = await stage(open)
    const carol = { ...(await network.server('two.test').register('carol')), server: network.server('two.test') }
    for (const who of [bob, carol]) assert.equal((await join(who, roomId)).status, 200)
    const send = async (txn: string) => {
      const url = `/_matrix/client/v3/${path(roomId, `send/m.room.message/${txn}`)}`
      const { body } = await bob.server.call('PUT', url, { token: bob.token, body: { msgtype: 'm.text', body: txn } })
      return String(body['event_id'])
    }
    const said = await send('in time')
    await network.settle(async () => (await eventById(alice.server.rt.db.read, said as EventId)) !== undefined)
    const author = new ForeignAuthor(alice.server, bob.server)
    const late = await author.build({ roomId, sender: bob.userId, type: 'm.room.message', content: { body: 'late' } })
    assert.equal((await post(alice, path(roomId, 'ban'), { user_id: bob.userId, [FLAG]: true })).status, 200)
    // Never ends where a server does not redact the event.
    for (const who of [alice, carol]) await network.settle(() => isRedacted(who, roomId, said))
    await author.send([late.json])
    const { db } = alice.server.rt
    const [stored] = await db.read
      .selectFrom('events')
      .select(['redacted_by', 'status'])
      .orderBy('event_nid', 'desc')
      .limit(1)
      .execute()
    assert.ok(stored && stored.status !== 0 && stored.redacted_by !== null)
    await network.close()
  })

  test('redacts history that is fetched after the ban', async () => {
    const { network, alice, bob, roomId } = await stage(open, { servers: 3 })
    const dora = { ...(await network.server('three.test').register('dora')), server: network.server('three.test') }
    assert.equal((await join(bob, roomId)).status, 200)
    const url = `/_matrix/client/v3/${path(roomId, 'send/m.room.message/1')}`
    const { body } = await bob.server.call('PUT', url, { token: bob.token, body: { msgtype: 'm.text', body: 'old' } })
    const id = body['event_id'] as EventId
    await network.settle(async () => (await eventById(alice.server.rt.db.read, id)) !== undefined)
    // The servers of the room forget that the event is redacted, like ones that do not know the flag.
    assert.equal((await post(alice, path(roomId, 'ban'), { user_id: bob.userId, [FLAG]: true })).status, 200)
    await alice.server.rt.db.write(async (tx) => {
      await tx.updateTable('events').set({ redacted_by: null }).where('redacted_by', 'is not', null).execute()
      for (const { room_nid: nid } of await tx.selectFrom('rooms').select('room_nid').execute())
        tx.touch(`redacted ${nid}`)
    })
    assert.equal((await join(dora, roomId)).status, 200)
    const messages = `/_matrix/client/v3/${path(roomId, 'messages?dir=b&limit=100')}`
    const { body: page } = await dora.server.call('GET', messages, { token: dora.token })
    const fetched = (page['chunk'] as Event[]).find(({ event_id: each }) => each === id)
    assert.ok(fetched?.unsigned.redacted_because)
    assert.deepEqual(fetched.content, {})
    await network.close()
  })
})

/** Alice has a room on one server, in which bob and carol are. */
async function stageHere(open: OpenDatabase, version = '12') {
  const server = await testServer(open)
  const register = async (name: string): Promise<User> => ({ ...(await server.register(name)), server })
  const [alice, bob, carol] = [await register('alice'), await register('bob'), await register('carol')]
  const roomId = await create(alice, { preset: 'public_chat', room_version: version })
  for (const who of [bob, carol]) assert.equal((await join(who, roomId, [])).status, 200)
  const say = (who: User, body: string) => authorOf(server.rt, roomId).say(who.userId, body)
  return { server, alice, bob, carol, roomId, say }
}
