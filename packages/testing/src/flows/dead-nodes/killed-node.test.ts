// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { readState } from '@myelin/services/reading/room-state'
import { timeline } from '@myelin/storage/rooms/events/events'
import { membersOf, membershipsOf } from '@myelin/storage/rooms/members/members'
import { owedInvites } from '@myelin/storage/rooms/owed-invites'
import { owingRemovals } from '@myelin/storage/rooms/owed-redactions'
import { onEveryDatabase } from '../../databases.ts'
import { leftByKilledNode } from '../../dead-nodes/killed-node.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'

/** Returns the only room of alice. */
async function roomOfAlice({ rt }: TestServer): Promise<RoomId> {
  const memberships = await membershipsOf(rt.db.read, '@alice:one.test' as UserId)
  assert.equal(memberships.length, 1)
  const [only] = memberships
  assert.ok(only)
  return only.roomId
}

onEveryDatabase('a node that follows one that was killed', (_open, engine) => {
  test('redacts the other events of a user whom a ban of another server redacts', async () => {
    const { open, drop } = await leftByKilledNode(engine, 'ban')
    const server = await testServer(open)
    assert.equal((await owingRemovals(server.rt.db.read, 10)).length, 1)
    await server.workers.owedWork.settled()
    const bounds = { direction: 'forward', after: 0, before: Number.MAX_SAFE_INTEGER, limit: 1000 } as const
    const events = await timeline(server.rt.db.read, { roomId: await roomOfAlice(server), ...bounds })
    const said = events.filter(({ pdu }) => pdu.type === 'm.room.message')
    assert.equal(said.length, 420)
    assert.deepEqual(
      said.filter(({ redactedBy }) => redactedBy === null),
      [],
    )
    assert.deepEqual(await owingRemovals(server.rt.db.read, 10), [])
    await server.close()
    await drop()
  })

  test('sends the invites of a room that was being created, which has its whole state', async () => {
    const { open, drop } = await leftByKilledNode(engine, 'invites')
    const server = await testServer(open)
    const { rt } = server
    await server.workers.owedWork.settled()
    const roomId = await roomOfAlice(server)
    const invited = (await membersOf(rt.db.read, roomId, ['invite'])).map(({ userId }) => userId)
    assert.deepEqual(invited.toSorted(), Array.from({ length: 50 }, (_, at) => `@u${at}:one.test`).toSorted())
    assert.deepEqual(await owedInvites(rt.db.read, 10), [])
    const requester = { userId: '@alice:one.test' as UserId, deviceId: 'A', isAdmin: false, isGuest: false }
    const state = await readState(rt, requester as never, roomId)
    assert.equal(state.filter(({ text }) => text.includes('"type":"a.b"')).length, 300)
    await server.close()
    await drop()
  })
})
