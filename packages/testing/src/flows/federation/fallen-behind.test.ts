// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, UserId } from '@myelin/matrix/ids'
import { extendRoom } from '@myelin/services/rooms/append/extend-room'
import { isNeed } from '@myelin/services/rooms/resolution/unit-needs'
import { writeEvents } from '@myelin/services/rooms/append/write-events'
import { eventById } from '@myelin/storage/rooms/events/events'
import { openRoom } from '@myelin/storage/rooms/rooms'
import { onEveryDatabase } from '../../databases.ts'
import { onTwoServers } from '../../two-servers.ts'

/** More than a destination keeps in memory. */
const MANY = 510

onEveryDatabase('a server to which much is to be sent at once, as after a crash', (open) => {
  test('gets the newest event, though no transaction was pending for it', async () => {
    await onTwoServers(open, async ({ network, room: { roomId }, alice, one, two, settled }) => {
      const { rt } = one()
      // Until it is forgotten that there is such a server.
      network.clock.advance(60_000)
      await settled()
      assert.equal(one().workers.outbound.busyCount, 0)
      let last = '' as EventId
      await writeEvents(rt, async (tx, maker) => {
        for (let serial = 0; serial < MANY; serial++) {
          const room = await openRoom(tx, roomId)
          if (!room) throw new Error('no such room')
          const content = { msgtype: 'm.text', body: String(serial) }
          const draft = { roomId, sender: alice.userId as UserId, type: 'm.room.message', content }
          const extended = await extendRoom(tx, maker, room, draft)
          if (isNeed(extended)) return extended
          last = extended.event.id
        }
        return undefined
      })
      await settled()
      assert.ok(await eventById(two().rt.db.read, last))
    })
  })
})
