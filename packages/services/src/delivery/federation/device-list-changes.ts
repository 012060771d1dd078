// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { ownDeviceChangesBetween } from '@myelin/storage/keys/device-lists'
import { usersSharingRooms } from '@myelin/storage/rooms/members/shared-rooms'
import { deviceListNews, putDeviceListNews, putToldDeviceList } from '@myelin/storage/federation/outgoing-device-lists'
import type { OutgoingDeviceList } from '@myelin/storage/federation/outgoing-device-lists'
import type { OutgoingEvent } from '@myelin/storage/federation/outgoing-events'
import { hintedServers, partialRoomsWith } from '@myelin/storage/federation/partial-rooms'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'
import { serveDevices } from '../../keys/user-keys.ts'
import type { ServedDevices } from '../../keys/user-keys.ts'
import type { Sending } from './transaction.ts'

/** That servers are to be told of a user's devices as they are at a position. */
export interface DeviceListChange {
  readonly userId: UserId
  readonly position: number
  readonly servers: ReadonlySet<ServerName>
}

/** What a server is told of one user's devices, and what it knows then. */
export interface SentDevices {
  readonly userId: UserId
  readonly position: number
  readonly told: ReadonlyMap<string, string>
  readonly edus: readonly JsonObject[]
}

type Needs = Pick<Sending, 'db' | 'serverName' | 'config'>

const MOST_USERS = 40
/** Under this name stands what a server was told of the keys that sign; no device is named so. */
const CROSS_SIGNING = ''

/** The users of ours whose devices changed in a stretch of the log, and the servers that share a room with them or are said to. */
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

/** Whom a user of ours came to share a room with by an event, if it is a join of theirs. */
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

/** Keeps what is to be told until it was. */
export async function putDeviceListChanges(
  { db }: Pick<Sending, 'db'>,
  news: readonly DeviceListChange[],
): Promise<void> {
  if (news.length === 0) return
  await db.write(async (tx) => {
    for (const { userId, position, servers } of news) await putDeviceListNews(tx, userId, servers, position)
  })
}

/** What a server is to be told of devices, in so many EDUs at the most; what turns out to be no news counts as told. */
export async function deviceListEdusFor(rt: Needs, server: ServerName, most: number): Promise<SentDevices[]> {
  const told: SentDevices[] = []
  const unchanged: SentDevices[] = []
  let left = most
  for (const list of await deviceListNews(rt.db.read, server, MOST_USERS)) {
    const news = newsOf(list, await serveDevices(rt, list.userId), most)
    if (told.length > 0 && news.edus.length > left) break
    left -= news.edus.length
    if (news.edus.length > 0) told.push(news)
    else unchanged.push(news)
  }
  await putSentDevices(rt, server, unchanged)
  // Only of some was there nothing to tell; others may wait behind them.
  return told.length === 0 && unchanged.length > 0 ? deviceListEdusFor(rt, server, most) : told
}

/** A server knows these now. */
export async function putSentDevices(
  { db }: Pick<Sending, 'db'>,
  server: ServerName,
  told: readonly SentDevices[],
): Promise<void> {
  if (told.length === 0) return
  await db.write(async (tx) => {
    for (const one of told) await putToldDeviceList(tx, server, one)
  })
}

/**
 * The difference between a user's devices and what a server was told of them.
 *
 * Each EDU names the one before, so that a server that lost one asks for the whole list. Where that cannot be, because
 * more changed than there are numbers, one EDU that names none has the same effect.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#device-management
 */
function newsOf(
  { userId, position, toldPosition, told }: OutgoingDeviceList,
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
  const names = [...new Set([...told.keys(), ...devices.keys()])]
  const changed = names.filter((id) => id !== CROSS_SIGNING && told.get(id) !== digests.get(id))
  const isResigned = master !== undefined && told.get(CROSS_SIGNING) !== digests.get(CROSS_SIGNING)
  const fits = changed.length < most && (toldPosition === 0 || position - toldPosition >= changed.length)
  const first = position - changed.length + 1
  const updates = (fits ? changed : changed.slice(0, 1)).map((id, index): JsonObject => {
    const before = index === 0 ? toldPosition : first + index - 1
    const streamId = fits ? first + index : position
    const content = { user_id: userId, device_id: id, stream_id: streamId, prev_id: fits && before > 0 ? [before] : [] }
    return { edu_type: 'm.device_list_update', content: { ...content, ...(devices.get(id) ?? { deleted: true }) } }
  })
  const resigned: JsonObject = { edu_type: 'm.signing_key_update', content: { user_id: userId, ...signing } }
  return { userId, position, told: digests, edus: [...updates, ...(isResigned ? [resigned] : [])] }
}

function digestOf(value: Json): string {
  return hash('sha256', JSON.stringify(value), 'base64url').slice(0, 12)
}
