// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { stateRootAt } from '@myelin/storage/rooms/events/events'
import { joinedServers, joinedServersAt } from '@myelin/storage/rooms/members/joined-servers'
import { roomsWithStickyEvents, stickyEventsOfServer } from '@myelin/storage/rooms/sticky-events'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Pending } from './pending-event.ts'

type Needs = Pick<Runtime, 'db' | 'serverName' | 'clock'>

interface Between {
  readonly after: number
  readonly upTo: number
}

/** Returns the rooms whose sticky events may have to be sent again. */
export async function roomsOwingSticky({ db, clock }: Needs): Promise<ReadonlySet<RoomId>> {
  return roomsWithStickyEvents(db.read, clock.now())
}

/**
 * Returns the sticky events of this server's users that the servers get that came into a room in a stretch of the log.
 *
 * They have the position at which the stretch begins, so that they count as sent only together with all of it.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4354
 */
export async function stickyForNewcomers(
  rt: Needs,
  roomId: RoomId,
  between: Between,
): Promise<(Pending & { readonly servers: ReadonlySet<ServerName> })[]> {
  const before = await serversAt(rt.db.read, roomId, between.after)
  const now = [...(await joinedServers(rt.db.read, roomId)).keys()]
  const servers = new Set(now.filter((server) => server !== rt.serverName && !before.has(server)))
  // Where this server came into the room in the stretch too, all others count as newcomers: what they have they get twice.
  if (servers.size === 0) return []
  const owed = await ownSticky(rt, roomId, { after: 0, upTo: between.upTo })
  return owed.map(({ nid }) => ({ nid, position: between.after, roomId, servers }))
}

/**
 * Returns the sticky events of this server's users that a server missed in a room: those of a stretch of the log, or all where the
 * server came into the room in it. Those from before it have the position at which it begins.
 */
export async function missedSticky(
  rt: Needs,
  server: ServerName,
  roomId: RoomId,
  { after, upTo }: Between,
): Promise<Pending[]> {
  if (!(await joinedServers(rt.db.read, roomId)).has(server)) return []
  const wasIn = (await serversAt(rt.db.read, roomId, after)).has(server)
  const owed = await ownSticky(rt, roomId, { after: wasIn ? after : 0, upTo })
  return owed.map(({ nid, position }) => ({ nid, position: Math.max(position, after), roomId }))
}

async function serversAt(db: Read, roomId: RoomId, position: number): Promise<ReadonlySet<ServerName>> {
  const root = await stateRootAt(db, roomId, position)
  return new Set(root === 0 ? [] : (await joinedServersAt(db, roomId, root)).keys())
}

const ownSticky = ({ db, serverName, clock }: Needs, roomId: RoomId, between: Between) =>
  stickyEventsOfServer(db.read, serverName, roomId, { ...between, now: clock.now() })
