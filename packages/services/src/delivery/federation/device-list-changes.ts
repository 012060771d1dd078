// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { ownDeviceChangesBetween } from '@myelin/storage/keys/device-lists'
import { usersSharingRooms } from '@myelin/storage/rooms/members/shared-rooms'
import { deviceListNews, putDeviceListNews, putSentDeviceList } from '@myelin/storage/federation/outgoing-device-lists'
import type { OutgoingDeviceList } from '@myelin/storage/federation/outgoing-device-lists'
import type { OutgoingEvent } from '@myelin/storage/federation/outgoing-events'
import { hintedServers, partialRoomsWith } from '@myelin/storage/federation/partial-rooms'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'
import { serveDevices } from '../../keys/user-keys.ts'
import type { ServedDevices } from '../../keys/user-keys.ts'
import type { Sending } from './transaction.ts'

/** Servers that must get a user's devices as they are at a position. */
export interface DeviceListChange {
  readonly userId: UserId
  readonly position: number
  readonly servers: ReadonlySet<ServerName>
}

/** The EDU for one user's devices, and the device list that the server knows afterwards. */
export interface SentDevices {
  readonly userId: UserId
  readonly position: number
  readonly sent: ReadonlyMap<string, string>
  readonly edus: readonly JsonObject[]
}

type Needs = Pick<Sending, 'db' | 'serverName' | 'config'>

const MAX_USERS = 40
/** The name under which the cross-signing keys are stored; no device is named so. */
const CROSS_SIGNING = ''

/**
 * Returns the local users whose devices changed in a stretch of the log, and the servers that share a room with them
 * or are assumed to.
 */
export async function changedDevices(
  { db, serverName }: Needs,
  { after, upTo }: { readonly after: number; readonly upTo: number },
): Promise<DeviceListChange[]> {
  const news: DeviceListChange[] = []
  for (const { userId, position } of await ownDeviceChangesBetween(db.read, serverName, after, upTo)) {
    const servers = new Set([...(await usersSharingRooms(db.read, userId))].map(serverOf))
    for (const roomId of await partialRoomsWith(db.read, userId)) {
      for (const server of await hintedServers(db.read, roomId)) servers.add(server)
    }
    servers.delete(serverName)
    if (servers.size > 0) news.push({ userId, position, servers })
  }
  return news
}

/** Returns the servers with which a local user shares a room since a join event of theirs; undefined for other events. */
export async function newlyShared(
  { db, serverName }: Needs,
  event: OutgoingEvent,
  servers: ReadonlySet<ServerName>,
): Promise<DeviceListChange | undefined> {
  const { type, stateKey, stateBefore, stateAfter, position } = event
  if (type !== 'm.room.member' || !isUserId(stateKey) || serverOf(stateKey) !== serverName) return undefined
  const [before, after] = [
    await loadStateEvent(db.read, stateBefore, type, stateKey),
    await loadStateEvent(db.read, stateAfter, type, stateKey),
  ]
  const isIn = (member: typeof before) => member !== undefined && stringMember(member.content, 'membership') === 'join'
  return isIn(after) && !isIn(before) ? { userId: stateKey, position, servers } : undefined
}

/** Stores device list changes until they are sent. */
export async function putDeviceListChanges(
  { db }: Pick<Sending, 'db'>,
  news: readonly DeviceListChange[],
): Promise<void> {
  if (news.length === 0) return
  await db.write(async (tx) => {
    for (const { userId, position, servers } of news) await putDeviceListNews(tx, userId, servers, position)
  })
}

/** Returns the device list EDUs for a server, at most `most`; changes without a difference are marked as sent. */
export async function deviceListEdusFor(rt: Needs, server: ServerName, most: number): Promise<SentDevices[]> {
  const lists: SentDevices[] = []
  const unchanged: SentDevices[] = []
  let left = most
  for (const list of await deviceListNews(rt.db.read, server, MAX_USERS)) {
    const news = newsOf(list, await serveDevices(rt, list.userId), most)
    if (lists.length > 0 && news.edus.length > left) break
    left -= news.edus.length
    if (news.edus.length > 0) lists.push(news)
    else unchanged.push(news)
  }
  await putSentDevices(rt, server, unchanged)
  // Only unchanged lists were found; others may wait behind them.
  return lists.length === 0 && unchanged.length > 0 ? deviceListEdusFor(rt, server, most) : lists
}

/** Records that a server received these device lists. */
export async function putSentDevices(
  { db }: Pick<Sending, 'db'>,
  server: ServerName,
  lists: readonly SentDevices[],
): Promise<void> {
  if (lists.length === 0) return
  await db.write(async (tx) => {
    for (const list of lists) await putSentDeviceList(tx, server, list)
  })
}

/**
 * Returns the EDUs with the difference between a user's devices and the list that a server knows.
 *
 * Each EDU names the previous one, so that a server that missed one fetches the whole list. Where more changed than
 * there are numbers, one EDU without a previous ID has the same effect.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#device-management
 */
function newsOf(
  { userId, position, sentPosition, sent }: OutgoingDeviceList,
  now: ServedDevices,
  most: number,
): SentDevices {
  const { master_key: master, self_signing_key: selfSigning } = now
  const devices = new Map(now.devices.map((device) => [stringMember(device, 'device_id') ?? '', device]))
  const digests = new Map([...devices].map(([id, device]) => [id, digestOf(device)]))
  const signing: JsonObject = {
    ...(master === undefined ? {} : { master_key: master }),
    ...(selfSigning === undefined ? {} : { self_signing_key: selfSigning }),
  }
  if (master !== undefined) digests.set(CROSS_SIGNING, digestOf(signing))
  const names = [...new Set([...sent.keys(), ...devices.keys()])]
  const changed = names.filter((id) => id !== CROSS_SIGNING && sent.get(id) !== digests.get(id))
  const isResigned = master !== undefined && sent.get(CROSS_SIGNING) !== digests.get(CROSS_SIGNING)
  const fits = changed.length < most && (sentPosition === 0 || position - sentPosition >= changed.length)
  const first = position - changed.length + 1
  const updates = (fits ? changed : changed.slice(0, 1)).map((id, index): JsonObject => {
    const before = index === 0 ? sentPosition : first + index - 1
    const streamId = fits ? first + index : position
    const content = { user_id: userId, device_id: id, stream_id: streamId, prev_id: fits && before > 0 ? [before] : [] }
    return { edu_type: 'm.device_list_update', content: { ...content, ...(devices.get(id) ?? { deleted: true }) } }
  })
  const resigned: JsonObject = { edu_type: 'm.signing_key_update', content: { user_id: userId, ...signing } }
  return { userId, position, sent: digests, edus: [...updates, ...(isResigned ? [resigned] : [])] }
}

function digestOf(value: Json): string {
  return hash('sha256', JSON.stringify(value), 'base64url').slice(0, 12)
}
