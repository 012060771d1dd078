// SPDX-License-Identifier: Apache-2.0
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import { member, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Tx } from '@myelin/storage/engine/database'
import { noteDeviceChange } from '@myelin/storage/keys/device-lists'
import { sharesRoomWithServer } from '@myelin/storage/rooms/members/shared-rooms'
import { isTrackedByServer } from '@myelin/storage/rooms/members/tracked-users'
import { dropRemoteDeviceList, putRemoteDeviceList, remoteDeviceLists } from '@myelin/storage/keys/remote-device-lists'
import { wantDeviceList } from '@myelin/storage/keys/wanted-device-lists'
import type { RemoteDeviceList } from '@myelin/storage/keys/remote-device-lists'
import {
  deviceKeysIn,
  isStreamId,
  parseDeviceList,
  printDeviceList,
  signingKey,
} from '../../device-lists/device-list-form.ts'
import type { DeviceList } from '../../device-lists/device-list-form.ts'
import { deviceListTopics } from '../../device-lists/stale.ts'
import type { EduReceiver, ReceiveEdu } from './edu-receiver.ts'

type Change = (known: RemoteDeviceList) => { readonly streamId: number; readonly list: DeviceList } | undefined

/**
 * Applies a device list update of a remote user. Where an earlier update was missed, or the device list is not stored,
 * the whole list is fetched. Of a user who is only invited to rooms of local users, the change alone is noted.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#device-management
 */
export const receiveDeviceListUpdate: ReceiveEdu = async (rt, origin, content) => {
  const [deviceId, streamId] = [stringMember(content, 'device_id'), member(content, 'stream_id')]
  if (deviceId === undefined || !isStreamId(streamId)) return
  const before = member(content, 'prev_id')
  const previous = Array.isArray(before) ? (before as readonly unknown[]) : []
  await changeList(rt, origin, content, (known) => {
    const follows = previous.length > 0 && previous.every((id) => isStreamId(id) && id <= known.streamId)
    if (!follows || streamId <= known.streamId) return undefined
    const list = parseDeviceList(known.list)
    const devices = new Map(list.devices)
    const keys = deviceKeysIn(known.userId, deviceId, content)
    if (keys && member(content, 'deleted') !== true) devices.set(deviceId, keys)
    else devices.delete(deviceId)
    return { streamId, list: { ...list, devices } }
  })
}

/**
 * Applies a change of a remote user's cross-signing keys.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#device-management
 */
export const receiveSigningKeyUpdate: ReceiveEdu = (rt, origin, content) =>
  changeList(rt, origin, content, ({ userId, streamId, list }) => {
    const known = parseDeviceList(list)
    const master = signingKey(userId, content, 'master_key') ?? known.master
    const selfSigning = signingKey(userId, content, 'self_signing_key') ?? known.selfSigning
    return { streamId, list: { ...known, master, selfSigning } }
  })

async function changeList(rt: EduReceiver, origin: ServerName, content: JsonObject, change: Change): Promise<void> {
  const userId = member(content, 'user_id')
  if (!isUserId(userId) || serverOf(userId) !== origin) return
  const isKept = await rt.db.write(async (tx) => {
    if (!(await sharesRoomWithServer(tx, userId, rt.serverName))) {
      await dropRemoteDeviceList(tx, userId)
      // Clients encrypt for invited users as well; they query the other server, because no list is stored.
      if (await isTrackedByServer(tx, userId, rt.serverName)) await noteDeviceChange(tx, userId)
      return true
    }
    await noteDeviceChange(tx, userId)
    tx.touch(deviceListTopics.stale(userId))
    if (await keepChanged(tx, userId, change)) return true
    await wantDeviceList(tx, userId, rt.clock.now())
    return false
  })
  if (!isKept) rt.bus.announce({ position: 0, topics: new Set([deviceListTopics.wanted(userId)]) })
}

/** Applies one change; returns false where the whole list must be fetched. */
async function keepChanged(tx: Tx, userId: UserId, change: Change): Promise<boolean> {
  const [known] = await remoteDeviceLists(tx, [userId])
  const changed = known && change(known)
  const list = changed && printDeviceList(changed.list)
  if (known && list) await putRemoteDeviceList(tx, { ...known, streamId: changed.streamId, list })
  else await dropRemoteDeviceList(tx, userId)
  return known !== undefined && list !== undefined
}
