// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import { eventById } from '@myelin/storage/rooms/events/events'
import { onEveryDatabase } from '../databases.ts'
import { join, lastEvent, path, stage, standing, stateOn } from '../stages/federated-stage.ts'
import type { Stage, User } from '../stages/federated-stage.ts'
import { ForeignAuthor } from '../foreign-author.ts'

/** Delays the answers to joins until they are released or lost; resolves when there is one. */
function holdJoins({ server }: User) {
  const answered = Promise.withResolvers<void>()
  const onward = Promise.withResolvers<void>()
  const receive = server.receive.bind(server)
  server.receive = async (request) => {
    const reply = await receive(request)
    if (!request.target.includes('/send_join/')) return reply
    answered.resolve()
    await onward.promise
    return reply
  }
  const lose = () => onward.reject(new RemoteError('unreachable', 'the answer is lost'))
  return { isAnswered: answered.promise, letGo: () => onward.resolve(), lose }
}

let messages = 0
const say = (who: User, { roomId }: Stage) =>
  lastEvent(
    who,
    () =>
      who.server.call('PUT', `/_matrix/client/v3/${path(roomId, `send/m.room.message/${messages++}`)}`, {
        token: who.token,
        body: { msgtype: 'm.text', body: 'you have just come in' },
      }),
    roomId,
  )

/** Returns the IDs of a server's room state, and whether these events are in its timeline. */
const has = async ({ server }: User, ids: readonly string[]) => {
  const found = await Promise.all(ids.map((id) => eventById(server.rt.db.read, id as EventId)))
  return found.map((event) => typeof event?.position === 'number')
}

/** One.test as two.test hears it. */
const voice = ({ alice, bob }: Stage) => new ForeignAuthor(bob.server, alice.server)

onEveryDatabase('events in a room before the join is complete', (open) => {
  for (const version of ['2', '11', '12']) {
    test(`is there once we are in, in version ${version}`, async () => {
      const set = await stage(open, { roomOptions: { room_version: version } })
      const { network, alice, bob, roomId } = set
      const hold = holdJoins(alice)
      const joining = join(bob, roomId)
      await hold.isAnswered
      const first = await say(alice, set)
      const named = await lastEvent(
        alice,
        () =>
          alice.server.call('PUT', `/_matrix/client/v3/${path(roomId, 'state/m.room.name/')}`, {
            token: alice.token,
            body: { name: 'Come in' },
          }),
        roomId,
      )
      const answer = await voice(set).send([first, named])
      const ids = Object.keys(answer['pdus'] as JsonObject)
      assert.deepEqual(Object.values(answer['pdus'] as JsonObject), [{}, {}])
      assert.equal(await standing(bob, roomId, bob.userId), undefined)
      hold.letGo()
      const { status, body } = await joining
      assert.equal(status, 200, JSON.stringify(body))
      await bob.server.workers.inbound.settled()
      assert.deepEqual(await has(bob, ids), [true, true])
      assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
      await network.close()
    })
  }

  test('is let go of where the join fails, and nothing more is taken', async () => {
    const set = await stage(open)
    const { network, alice, bob, roomId } = set
    const hold = holdJoins(alice)
    const joining = join(bob, roomId)
    await hold.isAnswered
    const one = voice(set)
    const said = await say(alice, set)
    assert.equal(Object.keys((await one.send([said]))['pdus'] as JsonObject).length, 1)
    hold.lose()
    assert.equal((await joining).status, 502)
    await bob.server.workers.inbound.settled()
    const { rt } = bob.server
    assert.deepEqual(await rt.db.read.selectFrom('staged_pdus').selectAll().execute(), [])
    assert.deepEqual(await rt.db.read.selectFrom('joins_under_way').selectAll().execute(), [])
    assert.deepEqual((await one.send([await say(alice, set)]))['pdus'], {})
    await network.close()
  })

  test('is not taken from a server that the room shuts out', async () => {
    const set = await stage(open, {
      servers: 3,
      roomOptions: {
        initial_state: [{ type: 'm.room.server_acl', state_key: '', content: { allow: ['*'], deny: ['three.test'] } }],
      },
    })
    const { network, alice, bob, roomId } = set
    const hold = holdJoins(alice)
    const joining = join(bob, roomId)
    await hold.isAnswered
    // Written by one.test, which has not got them itself: so they come from nobody else.
    const [fromThree, fromOne] = await Promise.all(
      ['three', 'one'].map((body) =>
        new ForeignAuthor(alice.server, alice.server).build({
          roomId,
          sender: alice.userId,
          type: 'm.room.message',
          content: { msgtype: 'm.text', body },
        }),
      ),
    )
    await new ForeignAuthor(bob.server, network.server('three.test')).send([fromThree?.json ?? {}])
    await voice(set).send([fromOne?.json ?? {}])
    hold.letGo()
    assert.equal((await joining).status, 200)
    await bob.server.workers.inbound.settled()
    assert.deepEqual(await has(bob, [fromThree?.id ?? '', fromOne?.id ?? '']), [false, true])
    await network.close()
  })

  test('waits no longer than joins take', async () => {
    const set = await stage(open)
    const { network, alice, bob, roomId } = set
    const hold = holdJoins(alice)
    const joining = join(bob, roomId)
    await hold.isAnswered
    const one = voice(set)
    await one.send([await say(alice, set)])
    network.clock.advance(3_600_001)
    const staged = () => bob.server.rt.db.read.selectFrom('staged_pdus').selectAll().execute()
    while ((await staged()).length > 0) await new Promise<void>((resolve) => setImmediate(resolve))
    assert.deepEqual((await one.send([await say(alice, set)]))['pdus'], {})
    hold.lose()
    await joining
    await network.close()
  })
})
