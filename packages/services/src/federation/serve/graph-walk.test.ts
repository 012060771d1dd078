// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { RawJson } from '@myelin/kit/raw-json'
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { parsePdu } from '@myelin/rules/events/parse-pdu'
import { ROOM_VERSIONS } from '@myelin/rules/room-versions'
import { markRedacted } from '@myelin/storage/rooms/events/events'
import { eventById } from '@myelin/storage/rooms/events/events'
import { authorRoom } from '@myelin/testing/room-author'
import { testRuntime } from '@myelin/testing/runtime'
import type { TestRuntime } from '@myelin/testing/runtime'
import { serveBackfill } from './backfill.ts'
import { serveEvent } from './event.ts'
import { serveMissingEvents } from './missing-events.ts'
import { serveState } from './state.ts'

const origin = 'two.test' as ServerName
const bob = '@bob:two.test'

const jsonOf = ({ text }: RawJson) => JSON.parse(text) as JsonObject

describe('the history another server reads', () => {
  let rt: TestRuntime
  before(async () => {
    rt = await testRuntime()
  })
  after(() => rt.close())

  const talk = async (version: string) => {
    const room = await authorRoom(rt, '@alice:one.test', { preset: 'public_chat', roomVersion: version })
    await room.member(bob, bob, 'join')
    const ids: EventId[] = []
    for (let n = 0; n < 30; n++) ids.push(await room.say(bob, `message ${n}`))
    const named = (pdus: readonly RawJson[]) => {
      const roomVersion = ROOM_VERSIONS.get(version)
      assert.ok(roomVersion)
      return pdus.map((pdu) => parsePdu(jsonOf(pdu), roomVersion).id)
    }
    return { roomId: room.roomId, ids, named }
  }

  for (const version of ROOM_VERSIONS.keys()) {
    test(`is whole and in order in version ${version}`, async () => {
      const { roomId, ids, named } = await talk(version)
      const last = ids.at(-1) as EventId
      const backfilled = named(await serveBackfill(rt, { origin, roomId, from: [last], limit: 10 }))
      assert.deepEqual(backfilled, ids.slice(-10).toReversed())
      const asked = { origin, roomId, earliest: ids.slice(9, 10), latest: [last], limit: 50, minDepth: 0 }
      assert.deepEqual(named(await serveMissingEvents(rt, asked)), ids.slice(10, -1))
      assert.deepEqual(named(await serveMissingEvents(rt, { ...asked, limit: 3 })), ids.slice(-4, -1))
      const { pdus, authChain } = await serveState(rt, { origin, roomId, eventId: last })
      const chain = new Set(named(authChain))
      for (const pdu of [...pdus, ...authChain]) {
        const roomVersion = ROOM_VERSIONS.get(version)
        assert.ok(roomVersion)
        for (const id of parsePdu(jsonOf(pdu), roomVersion).authEvents)
          assert.ok(chain.has(id), 'the chain is complete')
      }
    })
  }

  test('ends at the depth that is asked for, and where nothing is asked', async () => {
    const { roomId, ids, named } = await talk('11')
    const last = ids.at(-1) as EventId
    const before = await eventById(rt.db.read, ids.at(-3) as EventId)
    const asked = { origin, roomId, earliest: [], latest: [last], limit: 50, minDepth: before?.pdu.depth ?? 0 }
    assert.deepEqual(named(await serveMissingEvents(rt, asked)), ids.slice(-3, -1))
    assert.deepEqual(await serveMissingEvents(rt, { ...asked, latest: [] }), [])
    assert.deepEqual(await serveMissingEvents(rt, { ...asked, limit: 0 }), [])
    assert.deepEqual(await serveBackfill(rt, { origin, roomId, from: ['$unknown' as EventId], limit: 9 }), [])
  })

  test('never leaves the room it was asked for', async () => {
    const [one, other] = [await talk('11'), await talk('11')]
    const from = [other.ids.at(-1) as EventId]
    assert.deepEqual(await serveBackfill(rt, { origin, roomId: one.roomId, from, limit: 9 }), [])
    const asked = { origin, roomId: one.roomId, earliest: [], latest: from, limit: 9, minDepth: 0 }
    assert.deepEqual(await serveMissingEvents(rt, asked), [])
    const state = serveState(rt, { origin, roomId: one.roomId as RoomId, eventId: from[0] as EventId })
    await assert.rejects(state, { code: 'M_NOT_FOUND' })
  })

  test('shows a redacted event redacted, and under its id', async () => {
    const { ids, named } = await talk('11')
    const [target, by] = await Promise.all(ids.slice(0, 2).map((id) => eventById(rt.db.read, id)))
    assert.ok(target && by)
    await rt.db.write((tx) => markRedacted(tx, target.nid, by.nid))
    const pdu = await serveEvent(rt, origin, target.pdu.id)
    assert.deepEqual(jsonOf(pdu)['content'], {})
    assert.deepEqual(named([pdu]), [target.pdu.id])
  })

  test('has no rejected event, and soft-failed ones where an event names them', async () => {
    const { roomId, ids, named } = await talk('11')
    const [rejected, softFailed, last] = ids.slice(-3) as [EventId, EventId, EventId]
    await rt.db.write(async (tx) => {
      for (const [id, status] of [
        [rejected, 2],
        [softFailed, 1],
      ] as const) {
        const nid = (await eventById(tx, id))?.nid ?? 0
        await tx.updateTable('events').set({ status, position: null }).where('event_nid', '=', nid).execute()
      }
    })
    await assert.rejects(serveEvent(rt, origin, rejected), { code: 'M_NOT_FOUND' })
    assert.deepEqual(named([await serveEvent(rt, origin, softFailed)]), [softFailed])
    assert.deepEqual(named(await serveBackfill(rt, { origin, roomId, from: [last], limit: 9 })), [last, softFailed])
    const asked = { origin, roomId, earliest: [], latest: [last], limit: 9, minDepth: 0 }
    assert.deepEqual(named(await serveMissingEvents(rt, asked)), [softFailed])
    const { pdus } = await serveState(rt, { origin, roomId, eventId: softFailed })
    assert.deepEqual(named(pdus), named((await serveState(rt, { origin, roomId, eventId: last })).pdus))
  })
})
