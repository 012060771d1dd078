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
import type { RoomContext } from '../intake/check-incoming.ts'
import { STAGED } from '../intake/inbound.ts'
import { joinsCountSince } from '../intake/longest-join.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import { isResident } from '../../room-state/servers-around.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'serverName'>

/** What ends a join that is under way. */
export interface PendingJoin {
  readonly entered: (tx: Tx) => Promise<void>
  readonly failed: (tx: Tx) => Promise<void>
}

/**
 * Has events that come for a room from now on kept until the join to it has ended. Answers what ends it: in the unit
 * that enters the room, or in one of its own when the join has failed.
 *
 * The servers of a room send us what happens there from the moment one of them took our join, and we know nothing of
 * the room yet.
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

/** The version of a room that somebody of ours is about to enter. */
export async function versionOfAwaitedRoom(
  rt: Pick<Needs, 'db' | 'clock'>,
  roomId: RoomContext['roomId'],
): Promise<RoomVersion | undefined> {
  const id = await versionOfPendingJoin(rt.db.read, roomId, joinsCountSince(rt))
  return id === undefined ? undefined : roomVersionOf(id)
}
