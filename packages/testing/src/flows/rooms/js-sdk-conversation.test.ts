// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import * as sdk from 'matrix-js-sdk'
import { PollResponseEvent } from 'matrix-js-sdk/lib/extensible_events_v1/PollResponseEvent.js'
import { PollStartEvent } from 'matrix-js-sdk/lib/extensible_events_v1/PollStartEvent.js'
import { quietLogger } from '../../clients/encrypted-client.ts'
import { registerUsers } from '../../clients/matrix-client.ts'
import type { MatrixClient } from '../../clients/matrix-client.ts'
import { createDatabase, testOnPostgres, testOnSqlite } from '../../databases.ts'
import { startServerProcess } from '../../processes/server-process.ts'

type Scene = { readonly alice: sdk.MatrixClient; readonly bob: sdk.MatrixClient; readonly carol: sdk.MatrixClient }

/** Uses rooms as web clients do. */
async function useRooms(database?: string): Promise<void> {
  const server = await startServerProcess({ database })
  const users = await registerUsers(server.url, server.secret, ['alice', 'bob', 'carol'])
  const [alice, bob, carol] = users.map((user) => clientOf(server.url, user))
  try {
    assert.ok(alice && bob && carol)
    const roomId = await knockInSpace({ alice, bob, carol })
    await talk({ alice, bob, carol }, roomId)
    await comeBack({ alice, bob, carol }, roomId)
    await upgrade({ alice, bob, carol }, roomId)
  } finally {
    for (const client of [alice, bob, carol]) client?.stopClient()
    for (const user of users) user.close()
    await server.close()
  }
}

function clientOf(baseUrl: string, { token, userId, deviceId }: MatrixClient): sdk.MatrixClient {
  return sdk.createClient({ baseUrl, accessToken: token, userId, deviceId, logger: quietLogger })
}

/** A room in a space, which bob finds there, knocks on, and is let into. */
async function knockInSpace({ alice, bob }: Scene): Promise<string> {
  const knock = { type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }
  const { room_id: roomId } = await alice.createRoom({ name: 'Inside', initial_state: [knock] })
  const space = await alice.createRoom({
    preset: sdk.Preset.PublicChat,
    creation_content: { type: 'm.space' },
    initial_state: [{ type: 'm.space.child', state_key: roomId, content: { via: ['localhost'] } }],
  })
  await bob.joinRoom(space.room_id)
  const { rooms } = await bob.getRoomHierarchy(space.room_id)
  assert.deepEqual(rooms.map(({ name, join_rule: rule }) => [name, rule]).at(-1), ['Inside', 'knock'])
  await bob.knockRoom(roomId, { reason: 'may I?' })
  const member = await alice.getStateEvent(roomId, 'm.room.member', bob.getSafeUserId())
  assert.deepEqual([member['membership'], member['reason']], ['knock', 'may I?'])
  await alice.invite(roomId, bob.getSafeUserId())
  await bob.joinRoom(roomId)
  return roomId
}

/** Edits, threads, polls and an ignored user. */
async function talk({ alice, bob, carol }: Scene, roomId: string): Promise<void> {
  const { event_id: root } = await alice.sendTextMessage(roomId, 'rot')
  const edited = { msgtype: sdk.MsgType.Text, body: 'root' } as const
  await alice.sendMessage(roomId, {
    ...edited,
    body: '* root',
    'm.new_content': edited,
    'm.relates_to': { rel_type: sdk.RelationType.Replace, event_id: root },
  })
  await bob.sendMessage(roomId, root, { msgtype: sdk.MsgType.Text, body: 'in the thread' })
  const seen = await bob.fetchRoomEvent(roomId, root)
  const bundled = seen.unsigned?.['m.relations'] as Record<string, { content?: object; count?: number }> | undefined
  assert.deepEqual(bundled?.['m.replace']?.content?.['m.new_content' as never], edited)
  assert.equal(bundled?.['m.thread']?.count, 1)
  const thread = await alice.relations(roomId, root, sdk.RelationType.Thread, 'm.room.message')
  assert.deepEqual(
    thread.events.map((event) => event.getSender()),
    [bob.getSafeUserId()],
  )

  const poll = PollStartEvent.from('Tea?', ['yes', 'no'], 'org.matrix.msc3381.poll.disclosed')
  const { type, content } = poll.serialize()
  const { event_id: asked } = await alice.sendEvent(roomId, type as never, content as never)
  const answer = PollResponseEvent.from([poll.answers[0]?.id ?? ''], asked).serialize()
  await bob.sendEvent(roomId, answer.type as never, answer.content as never)
  const votes = await alice.relations(roomId, asked, sdk.RelationType.Reference, answer.type)
  assert.equal(votes.events.length, 1)

  await alice.invite(roomId, carol.getSafeUserId())
  await carol.joinRoom(roomId)
  await carol.sendTextMessage(roomId, 'unwanted')
  const bodies = async () => {
    const { chunk } = await bob.createMessagesRequest(roomId, null, 50, sdk.Direction.Backward)
    return chunk.map((event) => event.content['body'] as unknown)
  }
  assert.ok((await bodies()).includes('unwanted'))
  await bob.setIgnoredUsers([carol.getSafeUserId()])
  assert.ok(!(await bodies()).includes('unwanted'))
}

/** Bob's client is started anew, and has the room list with what happened while it was away. */
async function comeBack({ alice, bob }: Scene, roomId: string): Promise<void> {
  await startedOnce(bob)
  const before = bob.getRooms().length
  bob.stopClient()
  await alice.sendTextMessage(roomId, 'while bob is away')
  const { room_id: offered } = await alice.createRoom({ name: 'New', invite: [bob.getSafeUserId()] })
  await startedOnce(bob)
  assert.equal(bob.getRooms().length, before + 1)
  assert.equal(bob.getRoom(offered)?.getMyMembership(), 'invite')
  const room = bob.getRoom(roomId)
  assert.equal(room?.getLiveTimeline().getEvents().at(-1)?.getContent()['body'], 'while bob is away')
  assert.ok((room?.getRoomUnreadNotificationCount() ?? 0) > 0)
  bob.stopClient()
}

/** Starts a client and waits for its first sync. */
async function startedOnce(client: sdk.MatrixClient): Promise<void> {
  const prepared = new Promise<void>((resolve) => {
    const listen = (state: sdk.SyncState) => {
      if (state !== sdk.SyncState.Prepared) return
      client.off(sdk.ClientEvent.Sync, listen)
      resolve()
    }
    client.on(sdk.ClientEvent.Sync, listen)
  })
  await client.startClient({ initialSyncLimit: 5, threadSupport: true })
  await prepared
}

async function upgrade({ alice, bob }: Scene, roomId: string): Promise<void> {
  const { replacement_room: next } = await alice.upgradeRoom(roomId, '11')
  const tombstone = await bob.getStateEvent(roomId, 'm.room.tombstone', '')
  assert.equal(tombstone['replacement_room'], next)
  const create = await alice.getStateEvent(next, 'm.room.create', '')
  assert.equal((create['predecessor'] as { room_id: string }).room_id, roomId)
}

describe('matrix-js-sdk uses rooms', () => {
  testOnSqlite('over sqlite', () => useRooms(), { timeout: 60_000 })

  const onPostgres = async () => {
    const database = await createDatabase()
    try {
      await useRooms(database.url)
    } finally {
      await database.drop()
    }
  }
  testOnPostgres('over postgres', onPostgres, { timeout: 60_000 })
})
