// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { extendRoom } from '@myelin/services/rooms/append/extend-room'
import { isNeed } from '@myelin/services/rooms/resolution/unit-needs'
import { writeEvents } from '@myelin/services/rooms/append/write-events'
import { putDeviceKeys } from '@myelin/storage/keys/device-keys'
import { putAccount } from '@myelin/storage/accounts/accounts'
import { putDevice } from '@myelin/storage/accounts/devices'
import { openRoom } from '@myelin/storage/rooms/rooms'
import type { TestRuntime } from '@myelin/testing/runtime'

const MEMBERS_A_UNIT = 200

/** Lets users join a room, whose join rule must be `public`, and returns the last event. */
export async function joinAll(rt: TestRuntime, roomId: RoomId, users: readonly UserId[]): Promise<EventId> {
  let last = '' as EventId
  for (let start = 0; start < users.length; start += MEMBERS_A_UNIT) {
    last = await writeEvents(rt, async (tx, maker) => {
      let id = last
      for (const sender of users.slice(start, start + MEMBERS_A_UNIT)) {
        const room = await openRoom(tx, roomId)
        if (!room) throw new Error('no such room')
        const content = { membership: 'join', displayname: `Name of ${sender}` }
        const draft = { roomId, sender, type: 'm.room.member', stateKey: sender, content }
        const joined = await extendRoom(tx, maker, room, draft)
        if (isNeed(joined)) return joined
        id = joined.event.id
      }
      return id
    })
  }
  return last
}

/** Registers users with so many devices with keys each. */
export async function registerWithDevices(rt: TestRuntime, users: readonly UserId[], devices: number): Promise<void> {
  for (const user of users) {
    await rt.db.write(async (tx) => {
      await putAccount(tx, { userId: user, passwordHash: null, createdTs: 1, isAdmin: false, isGuest: false })
      for (let at = 0; at < devices; at++) {
        const deviceId = `DEVICE${at}`
        await putDevice(tx, user, { deviceId, displayName: 'a phone', createdTs: rt.clock.now() })
        const keys = { [`curve25519:${deviceId}`]: 'k'.repeat(43), [`ed25519:${deviceId}`]: 'k'.repeat(43) }
        const signatures = { [user]: { [`ed25519:${deviceId}`]: 's'.repeat(86) } }
        const algorithms = ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2']
        await putDeviceKeys(tx, user, deviceId, { algorithms, device_id: deviceId, keys, signatures, user_id: user })
      }
    })
  }
}
