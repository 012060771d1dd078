// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '../../databases.ts'
import { appServiceStage, IRC } from '../../stages/app-service-stage.ts'

const v3 = '/_matrix/client/v3'
const BOB = '@_irc_bob:one.test'
const AS_BOB = `user_id=${encodeURIComponent(BOB)}`
const UNSTABLE = 'de.sorunome.msc2409.ephemeral'
const EPHEMERAL = {
  services: [{ ...IRC, ephemeralMembers: ['ephemeral', UNSTABLE] as const }],
  presence: { isEnabled: true },
}

/** Returns the stage with bob of the bridge in a room of alice, and what is taken after that. */
async function bridged(...[open, t, config]: Parameters<typeof appServiceStage>) {
  const stage = await appServiceStage(open, t, config)
  const { call, irc, settled, alice } = stage
  const type = 'm.login.application_service'
  await call('POST', `${v3}/register`, IRC.asToken, { type, username: '_irc_bob', inhibit_login: true })
  const room = String((await call('POST', `${v3}/createRoom`, alice.token, { preset: 'public_chat' }))['room_id'])
  const path = `${v3}/rooms/${encodeURIComponent(room)}`
  await call('POST', `${path}/join?${AS_BOB}`, IRC.asToken, {})
  const sent = await call('PUT', `${path}/send/m.room.message/1`, alice.token, { msgtype: 'm.text', body: 'tea' })
  await settled()
  irc.taken.length = 0
  irc.got.length = 0
  const listed = (name: string) => irc.taken.flatMap(({ body }) => (body[name] ?? []) as JsonObject[])
  return { ...stage, room, path, eventId: String(sent['event_id']), listed }
}

onEveryDatabase('ephemeral data in transactions', (open) => {
  test('is typing, receipts and presence of rooms of the service, under the names it registered', async (t) => {
    const stage = await bridged(open, t, EPHEMERAL)
    const { call, alice, settled, listed, path, room, eventId, irc } = stage
    const elsewhere = String((await call('POST', `${v3}/createRoom`, alice.token, {}))['room_id'])
    const typing = (at: string, isTyping: boolean) =>
      call('PUT', `${at}/typing/${encodeURIComponent(alice.userId)}`, alice.token, { typing: isTyping, timeout: 9_000 })
    await typing(`${v3}/rooms/${encodeURIComponent(elsewhere)}`, true)
    await typing(path, true)
    await settled()
    await typing(path, false)
    await settled()
    await call('POST', `${path}/receipt/m.read/${encodeURIComponent(eventId)}`, alice.token, {})
    await call('POST', `${path}/receipt/m.read.private/${encodeURIComponent(eventId)}`, alice.token, {})
    await call('POST', `${path}/receipt/m.read.private/${encodeURIComponent(eventId)}?${AS_BOB}`, IRC.asToken, {})
    await settled()
    await call('PUT', `${v3}/presence/${encodeURIComponent(alice.userId)}/status`, alice.token, {
      presence: 'online',
      status_msg: 'tea',
    })
    await settled()
    const ephemeral = listed('ephemeral')
    const ofType = (type: string) => ephemeral.filter((event) => event['type'] === type)
    assert.deepEqual(
      ofType('m.typing').map((event) => [event['room_id'], event['content']]),
      [
        [room, { user_ids: [alice.userId] }],
        [room, { user_ids: [] }],
      ],
    )
    const readers = ofType('m.receipt').flatMap((event) => {
      assert.equal(event['room_id'], room)
      const kinds = (event['content'] as JsonObject)[eventId] as JsonObject
      return Object.entries(kinds).flatMap(([kind, users]) =>
        Object.keys(users as JsonObject).map((user) => [kind, user]),
      )
    })
    assert.deepEqual(readers, [
      ['m.read', alice.userId],
      ['m.read.private', BOB],
    ])
    const last = ofType('m.presence').findLast((event) => event['sender'] === alice.userId)
    assert.equal((last?.['content'] as JsonObject | undefined)?.['status_msg'], 'tea')
    assert.deepEqual(listed(UNSTABLE), ephemeral)
    assert.deepEqual(listed('events'), [])
    const numbers = irc.taken.map(({ path: at }) => at)
    assert.equal(new Set(numbers).size, numbers.length)
  })

  test('is not sent to a service that did not register for it', async (t) => {
    const { call, alice, settled, path, eventId, irc } = await bridged(open, t)
    await call('PUT', `${path}/typing/${encodeURIComponent(alice.userId)}`, alice.token, {
      typing: true,
      timeout: 9_000,
    })
    await call('POST', `${path}/receipt/m.read/${encodeURIComponent(eventId)}`, alice.token, {})
    await settled()
    assert.deepEqual(irc.got, [])
  })

  test('that is fleeting is dropped while the service is away, and events after it are not', async (t) => {
    const { call, alice, settled, path, irc, server, listed } = await bridged(open, t, EPHEMERAL)
    irc.answer(() => 'down')
    await call('PUT', `${path}/typing/${encodeURIComponent(alice.userId)}`, alice.token, {
      typing: true,
      timeout: 9_000,
    })
    await settled()
    assert.ok(irc.got.length > 0)
    irc.answer(() => ({ status: 200 }))
    await call('PUT', `${path}/send/m.room.message/2`, alice.token, { msgtype: 'm.text', body: 'later' })
    server.rt.clock.advance(1_000)
    await settled()
    assert.deepEqual(
      listed('events').map((event) => (event['content'] as JsonObject)['body']),
      ['later'],
    )
    assert.deepEqual(listed('ephemeral'), [])
  })

  test('has the messages to devices of its users, each once, and keeps them until they are taken', async (t) => {
    const { call, alice, settled, irc, server, listed } = await bridged(open, t, EPHEMERAL)
    await call('PUT', `${v3}/devices/BRIDGE?${AS_BOB}`, IRC.asToken, { display_name: 'bridge' })
    let serial = 0
    const send = (to: string, number: number) =>
      call('PUT', `${v3}/sendToDevice/org.example/${++serial}`, alice.token, {
        messages: { [to]: { '*': { number } } },
      })
    irc.answer(() => ({ status: 500 }))
    await send(BOB, 1)
    await send(alice.userId, 0)
    await settled()
    for (let number = 2; number <= 120; number++) await send(BOB, number)
    await settled()
    const tried = irc.got.map(({ body }) => body['to_device'])
    irc.answer(() => ({ status: 200 }))
    server.rt.clock.advance(60_000)
    await settled()
    const messages = listed('to_device')
    assert.equal((tried[0] as JsonObject[])[0]?.['to_user_id'], BOB)
    assert.deepEqual(
      messages.map((message) => (message['content'] as JsonObject)['number']),
      Array.from({ length: 120 }, (_, index) => index + 1),
    )
    assert.deepEqual(messages[0], {
      type: 'org.example',
      sender: alice.userId,
      content: { number: 1 },
      to_user_id: BOB,
      to_device_id: 'BRIDGE',
    })
    assert.deepEqual(listed('de.sorunome.msc2409.to_device'), messages)
    const left = await server.rt.db.read.selectFrom('to_device').select('user_id').execute()
    assert.deepEqual(
      left.map((row) => row.user_id),
      [alice.userId],
    )
  })
})
