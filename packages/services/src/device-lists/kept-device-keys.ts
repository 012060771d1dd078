// SPDX-License-Identifier: Apache-2.0
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { remoteDeviceLists } from '@myelin/storage/keys/remote-device-lists'
import { shareRoom } from '@myelin/storage/rooms/members/shared-rooms'
import type { Runtime } from '../runtime/runtime.ts'
import type { ReportedKeys } from '../peers/device-keys.ts'
import { parseDeviceList } from './device-list-form.ts'
import { deviceListTopics } from './stale.ts'

type Asked = ReadonlyMap<ServerName, ReadonlyMap<UserId, readonly string[]>>

/**
 * Returns the stored keys of remote users' devices, and the users whose servers must be queried.
 *
 * A stored list is valid only while the remote server had to send us every change: the viewer and the user have shared a
 * room since before it was fetched. Other lists are fetched in the background, if a room is shared.
 */
export async function keptDeviceKeys(
  { db, bus }: Pick<Runtime, 'db' | 'bus'>,
  viewer: UserId,
  asked: Asked,
): Promise<{ readonly kept: ReportedKeys; readonly unknown: Asked }> {
  const [devices, master, selfSigning] = [
    new Map<UserId, JsonObject>(),
    new Map<UserId, JsonObject>(),
    new Map<UserId, JsonObject>(),
  ]
  const users = new Map([...asked.values()].flatMap((wanted) => [...wanted]))
  for (const { userId, position, list } of await remoteDeviceLists(db.read, [...users.keys()])) {
    if (!(await shareRoom(db.read, viewer, userId, position))) continue
    const wanted = users.get(userId) ?? []
    const known = parseDeviceList(list)
    const chosen = [...known.devices].filter(([id]) => wanted.length === 0 || wanted.includes(id))
    devices.set(userId, Object.fromEntries(chosen))
    if (known.master) master.set(userId, known.master)
    if (known.selfSigning) selfSigning.set(userId, known.selfSigning)
  }
  const unknown = new Map<ServerName, ReadonlyMap<UserId, readonly string[]>>()
  for (const [server, wanted] of asked) {
    const rest = new Map([...wanted].filter(([user]) => !devices.has(user)))
    if (rest.size > 0) unknown.set(server, rest)
    for (const user of rest.keys()) bus.announce({ position: 0, topics: new Set([deviceListTopics.wanted(user)]) })
  }
  return { kept: { devices, master, selfSigning }, unknown }
}
