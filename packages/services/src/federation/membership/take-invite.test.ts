// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testNetwork } from '@myelin/testing/network'
import type { TestNetwork } from '@myelin/testing/network'
import { authorRoom } from '@myelin/testing/room-author'
import { ForeignAuthor } from '@myelin/testing/foreign-author'
import { servedPdus } from '../serve/served-pdus.ts'
import { namedState, roomById } from '@myelin/storage/rooms/rooms'
import { roomVersionOf } from '../../room-state/versions.ts'

const [alice, bob] = ['@alice:one.test', '@bob:two.test'] as const

type Offer = {
  readonly roomId: RoomId
  readonly event: Pdu
  readonly body: JsonObject & { readonly invite_room_state: readonly JsonObject[] }
}

/** An invite of bob by alice as one.test would send it to two.test. */
async function offer(network: TestNetwork, roomVersion: string, change: object = {}): Promise<Offer> {
  const { rt } = network.server('one.test')
  const room = await authorRoom(rt, alice, { roomVersion, preset: 'private_chat', name: 'The room' })
  const author = new ForeignAuthor(network.server('one.test'), network.server('one.test'))
  const event = await author.build({
    roomId: room.roomId,
    sender: alice,
    type: 'm.room.member',
    stateKey: bob,
    content: { membership: 'invite' },
    ...change,
  })
  const db = rt.db.read
  const state = await namedState(db, (await roomById(db, room.roomId))?.stateRoot ?? 0)
  const nids = state.filter(({ type }) => type !== 'm.room.member').map((entry) => entry.event)
  const shown = await servedPdus(db, roomVersionOf(roomVersion), nids)
  const states = shown.map((each) => JSON.parse(each.text) as JsonObject)
  return {
    roomId: room.roomId,
    event,
    body: { room_version: roomVersion, event: event.json, invite_room_state: states },
  }
}

const send = (
  network: TestNetwork,
  { roomId, event }: Pick<Offer, 'roomId' | 'event'>,
  body: JsonObject,
  from = 'one.test',
) =>
  network.server(from).rt.remote.call(network.server('two.test').name, {
    method: 'PUT',
    target: federationPath(['federation', 'v2', 'invite', roomId, event.id]),
    body,
  })

const refused = (errcode: string) => (cause: unknown) => {
  assert.ok(cause instanceof RemoteError)
  assert.equal(cause.errcode, errcode, cause.message)
  return true
}

onEveryDatabase('an invite from another server', (open) => {
  const drafts: Readonly<Record<string, object>> = {
    'is no member event': { type: 'm.room.topic', stateKey: '', content: { topic: 'sign this' } },
    'has no state key': { stateKey: undefined },
    'is a ban': { content: { membership: 'ban' } },
    'is of a user of another server': { stateKey: '@carol:three.test' },
    'is of no user at all': { stateKey: 'bob' },
    'is by a user of another server': { sender: '@mallory:three.test', authEvents: [] },
  }
  for (const [name, change] of Object.entries(drafts)) {
    test(`is not signed where it ${name}`, async () => {
      const network = await testNetwork({ servers: 2, open })
      const given = await offer(network, '11', change)
      await assert.rejects(send(network, given, given.body), refused('M_INVALID_PARAM'))
      await network.close()
    })
  }

  const bodies: Readonly<Record<string, readonly [change: (body: Offer['body']) => JsonObject, errcode: string]>> = {
    'its version is unknown': [(body) => ({ ...body, room_version: 'org.example' }), 'M_INCOMPATIBLE_ROOM_VERSION'],
    'its signature is missing': [
      (body) => ({ ...body, event: { ...(body['event'] as JsonObject), signatures: {} } }),
      'M_INVALID_PARAM',
    ],
    'it is not what was hashed': [
      (body) => ({
        ...body,
        event: { ...(body['event'] as JsonObject), content: { membership: 'invite', reason: '?' } },
      }),
      'M_INVALID_PARAM',
    ],
    'the room state is missing': [({ invite_room_state: _state, ...body }) => body, 'M_MISSING_PARAM'],
    'the create event is missing': [
      (body) => ({ ...body, invite_room_state: body.invite_room_state.filter(({ type }) => type !== 'm.room.create') }),
      'M_INVALID_PARAM',
    ],
    'the room state is stripped': [
      (body) => ({
        ...body,
        invite_room_state: body.invite_room_state.map(({ type, content }) => ({ type, content }) as JsonObject),
      }),
      'M_INVALID_PARAM',
    ],
    'the room state was changed': [
      (body) => ({ ...body, invite_room_state: body.invite_room_state.map((each) => ({ ...each, content: {} })) }),
      'M_INVALID_PARAM',
    ],
  }
  for (const [name, [change, errcode]] of Object.entries(bodies)) {
    test(`is refused where ${name}`, async () => {
      const network = await testNetwork({ servers: 2, open })
      const given = await offer(network, '12')
      await assert.rejects(send(network, given, change(given.body)), refused(errcode))
      assert.equal(await membershipIn(network.server('two.test').rt.db.read, given.roomId, bob as UserId), undefined)
      await network.close()
    })
  }

  test('is refused under another path, and from another server than its sender is of', async () => {
    const network = await testNetwork({ servers: 3, open })
    const given = await offer(network, '12')
    const wrong = { ...given.event, id: `$${'a'.repeat(43)}` as EventId }
    await assert.rejects(send(network, { ...given, event: wrong }, given.body), refused('M_INVALID_PARAM'))
    await assert.rejects(
      send(network, { ...given, roomId: '!other:one.test' as RoomId }, given.body),
      refused('M_INVALID_PARAM'),
    )
    await assert.rejects(send(network, given, given.body, 'three.test'), refused('M_INVALID_PARAM'))
    await network.close()
  })

  test('is taken with a whole create event and the rest stripped, as Synapse 1.136 to 1.161 sends it', async () => {
    const network = await testNetwork({ servers: 2, open })
    const given = await offer(network, '12')
    const state = given.body.invite_room_state.map((each) => {
      const { type, state_key, sender, content } = each
      return type === 'm.room.create' ? each : ({ type, state_key, sender, content } as JsonObject)
    })
    // They send the state in `unsigned` of the event as well, all of it stripped.
    const stripped = ({ type, state_key, sender, content }: JsonObject) => ({ type, state_key, sender, content })
    const unsigned = { age: 5, invite_room_state: state.map(stripped) } as JsonObject
    const whole = { ...given.body, event: { ...given.event.json, unsigned }, invite_room_state: state }
    const { event } = await send(network, given, whole)
    assert.ok('two.test' in ((event as JsonObject)['signatures'] as JsonObject))
    const standing = await membershipIn(network.server('two.test').rt.db.read, given.roomId, bob as UserId)
    const shown = JSON.parse(standing?.strippedState ?? '[]') as JsonObject[]
    assert.ok(shown.some(({ type }) => type === 'm.room.name'))
    await network.close()
  })

  test('shows of an older room what can be shown, whatever else stands in its state', async () => {
    const network = await testNetwork({ servers: 2, open })
    const away = network.server('two.test')
    const given = await offer(network, '10')
    const bent = [null, 5, [], { type: 1 }, { type: 'm.room.name', state_key: '', sender: alice, content: null }]
    const body = { ...given.body, invite_room_state: [...given.body.invite_room_state, ...bent] as JsonObject[] }
    const { event } = await send(network, given, body)
    assert.ok('two.test' in ((event as JsonObject)['signatures'] as JsonObject))
    const standing = await membershipIn(away.rt.db.read, given.roomId, bob as UserId)
    const shown = JSON.parse(standing?.strippedState ?? '[]') as JsonObject[]
    assert.ok(shown.every((each) => Object.keys(each).length === 4))
    assert.equal(shown.filter(({ type }) => type === 'm.room.name').length, 1)
    assert.deepEqual((await send(network, given, { ...body, invite_room_state: null }))['event'], event)
    await network.close()
  })
})
