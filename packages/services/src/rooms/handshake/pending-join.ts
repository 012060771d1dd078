// SPDX-License-Identifier: Apache-2.0
import type { Tx } from '@myelin/storage/engine/database'
import {
  dropPendingJoinsTo,
  dropPendingJoin,
  putPendingJoin,
  versionOfPendingJoin,
} from '@myelin/storage/federation/pending-joins'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Runtime } from '../../runtime/runtime.ts'
import type { RoomContext } from '../../room-state/room-context.ts'
import { STAGED } from '../intake/inbound.ts'
import { joinsCountSince } from '../intake/max-join.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import { isResident } from '../../room-state/servers-around.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'serverName'>

/** Ends a pending join. */
export interface PendingJoin {
  readonly entered: (tx: Tx) => Promise<void>
  readonly failed: (tx: Tx) => Promise<void>
}

/**
 * Stages the events that arrive for a room until the join to it has ended. Returns what ends the pending join: in the
 * unit that enters the room, or in a unit of its own where the join failed.
 *
 * The resident servers send events as soon as one of them accepted the join, when the room is not known here yet.
 */
export async function startPendingJoin(rt: Needs, { roomId, version }: RoomContext): Promise<PendingJoin> {
  const entered = async (tx: Tx) => {
    await dropPendingJoinsTo(tx, roomId)
    tx.touch(STAGED)
  }
  if (await isResident(rt, roomId)) return { entered, failed: async () => {} }
  const join = { roomId, roomVersion: version.id, sinceTs: rt.clock.now() }
  const nid = await rt.db.write((tx) => putPendingJoin(tx, join))
  const failed = async (tx: Tx) => {
    await dropPendingJoin(tx, nid)
    tx.touch(STAGED)
  }
  return { entered, failed }
}

/** Returns the version of a room with a pending join of a local user. */
export async function versionOfAwaitedRoom(
  rt: Pick<Needs, 'db' | 'clock'>,
  roomId: RoomContext['roomId'],
): Promise<RoomVersion | undefined> {
  const id = await versionOfPendingJoin(rt.db.read, roomId, joinsCountSince(rt))
  return id === undefined ? undefined : roomVersionOf(id)
}
