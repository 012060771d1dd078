// SPDX-License-Identifier: Apache-2.0
import type { Read } from '@myelin/storage/engine/database'
import { publishedCount, publishedRooms } from '@myelin/storage/rooms/published-rooms'
import type { Directory, DirectoryPlace } from '@myelin/storage/rooms/published-rooms'
import { appServices } from '../runtime/app-services.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { isFederated } from '../room-state/is-federated.ts'
import { parseInstance } from '../runtime/third-party-instance.ts'
import { parseStart, printStart } from './directory-token.ts'
import type { PageStart } from './directory-token.ts'
import { roomEntry } from '../room-state/room-entry.ts'
import type { DirectoryPage, DirectoryQuery } from '../room-state/directory-page.ts'
import type { RoomEntry } from '../room-state/room-entry.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 500
// The most rooms examined for one page of a search.
const MAX_LOOKED_AT = 1000

/**
 * Returns a page of the rooms that this server lists, the largest first.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3publicrooms
 */
export async function publicRooms(rt: Pick<Runtime, 'db' | 'config'>, query: DirectoryQuery): Promise<DirectoryPage> {
  const db = rt.db.read
  const start = query.since === undefined || query.since === '' ? undefined : parseStart(query.since)
  const directory = directoryOf(rt, query)
  if (!directory) return { chunk: [], total_room_count_estimate: 0 }
  const walk = await collect(db, start, query, directory)
  return { chunk: walk.chunk, ...tokens(start, walk), total_room_count_estimate: await publishedCount(db, directory) }
}

/** Returns the directory that is asked for; undefined for a network that no application service bridges. */
function directoryOf(
  { config }: Pick<Runtime, 'config'>,
  { network = '', isOfAllNetworks }: DirectoryQuery,
): Directory | undefined {
  const services = appServices(config)
  if (isOfAllNetworks === true) return { of: 'all', serviceIds: services.all.map(({ settings }) => settings.id) }
  if (network === '') return { of: 'server' }
  const instance = parseInstance(network)
  return instance && services.withId(instance.serviceId) ? { of: 'network', network: instance } : undefined
}

type Found = { readonly chunk: RoomEntry[]; readonly reached: DirectoryPlace | undefined; readonly isEnd: boolean }

async function collect(
  db: Read,
  start: PageStart | undefined,
  query: DirectoryQuery,
  directory: Directory,
): Promise<Found> {
  const wanted = Math.min(query.limit === undefined || query.limit === 0 ? DEFAULT_LIMIT : query.limit, MAX_LIMIT)
  const isBackward = start !== undefined && 'before' in start
  const matches = matcher(query)
  const chunk: RoomEntry[] = []
  let from = start
  let reached: DirectoryPlace | undefined
  for (let looked = 0; looked < MAX_LOOKED_AT; ) {
    // One more than requested shows whether there is another page.
    const limit = Math.min(wanted + 1, MAX_LOOKED_AT - looked)
    const page = await publishedRooms(db, { ...from, limit }, directory)
    for (const room of isBackward ? page.toReversed() : page) {
      if (chunk.length === wanted) return { chunk: ordered(chunk, isBackward), reached, isEnd: false }
      reached = room
      if (query.isForServers && !(await isFederated(db, room.stateRoot))) continue
      const entry = await roomEntry(db, room)
      if (matches(entry)) chunk.push(entry)
    }
    if (page.length < limit || !reached) return { chunk: ordered(chunk, isBackward), reached, isEnd: true }
    looked += page.length
    from = isBackward ? { before: reached } : { after: reached }
  }
  return { chunk: ordered(chunk, isBackward), reached, isEnd: false }
}

function ordered(chunk: RoomEntry[], isBackward: boolean): RoomEntry[] {
  return isBackward ? chunk.toReversed() : chunk
}

/** Returns the tokens of the next and the previous page, where these exist. */
function tokens(
  start: PageStart | undefined,
  { chunk, reached, isEnd }: Found,
): Pick<DirectoryPage, 'next_batch' | 'prev_batch'> {
  const [first, last] = [chunk[0], chunk.at(-1)]
  if (start && 'before' in start) {
    return {
      next_batch: printStart({ after: last ? placeOf(last) : start.before }),
      ...(isEnd || !reached ? {} : { prev_batch: printStart({ before: reached }) }),
    }
  }
  return {
    ...(isEnd || !reached ? {} : { next_batch: printStart({ after: reached }) }),
    ...(start && first ? { prev_batch: printStart({ before: placeOf(first) }) } : {}),
  }
}

function placeOf(entry: RoomEntry): DirectoryPlace {
  return { joinedCount: entry.num_joined_members, roomId: entry.room_id }
}

function matcher({ term, roomTypes }: DirectoryQuery): (entry: RoomEntry) => boolean {
  const wanted = term?.trim().toLowerCase() ?? ''
  return ({ name, topic, canonical_alias: alias, room_type: type }) => {
    if (roomTypes && !roomTypes.includes(type ?? null)) return false
    return wanted === '' || [name, topic, alias].some((text) => text?.toLowerCase().includes(wanted))
  }
}
