// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { RemoteError } from '@myelin/remote/remote-error'
import { authorize } from '@myelin/rules/auth/rules/authorize'
import { createOfRoomId } from '@myelin/rules/events/event-id'
import { appendEvent } from '@myelin/storage/rooms/append/append-event'
import type { Database, Tx } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsById } from '@myelin/storage/rooms/events/events'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { precomputeMemberChanges } from '@myelin/storage/rooms/members/member-changes'
import type { PrecomputedMemberChanges } from '@myelin/storage/rooms/members/member-changes'
import { putBackwardExtremities, putOutlier, stateWithEvent } from '@myelin/storage/rooms/events/outliers'
import { openRoom, roomById } from '@myelin/storage/rooms/rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import type { Runtime } from '../../runtime/runtime.ts'
import { appendForeign } from '../append/append-foreign.ts'
import type { RoomContext } from '../../room-state/room-context.ts'
import { judgeByAuthEvents } from '../append/judge.ts'
import { stateInSteps } from '../intake/state-in-steps.ts'
import { resolvedRootIfCheap } from '../resolution/resolve-roots.ts'
import { resolveForkedRoom } from '../intake/resolve-forked-room.ts'
import { isNeed } from '../resolution/unit-needs.ts'
import type { ResolutionNeed } from '../resolution/unit-needs.ts'
import { writeResolved } from '../resolution/write-resolved.ts'
import { loadAuthState } from '../../room-state/load-auth-state.ts'
import { noteMembersKnown } from '../partial/enter-partially.ts'
import { withNamedMembers } from '../append/provisional.ts'
import type { ShownRoom } from './read-join-answer.ts'

type Needs = Pick<Runtime, 'serverName'> & { readonly db: Database }

/**
 * Imports a room that a resident server sent, with the local user's join; throws a `RemoteError` where the join is not
 * allowed by that state.
 *
 * The room becomes visible in the last unit of work, in which `entered` runs. `extremities` are forward extremities from an
 * earlier residence that remain so beside the join.
 */
export async function importRoom(
  rt: Needs,
  context: RoomContext,
  shown: Shown,
  entered: (tx: Tx) => Promise<void>,
): Promise<void> {
  const ground = await layGround(rt.db, context, shown)
  await writeResolved(rt, async (tx) => {
    const need = await enterRoom(tx, rt, { ...context, ...ground }, shown)
    if (need) return need
    await entered(tx)
    return undefined
  })
  await resolveForkedRoom(rt, context.roomId)
}

type Shown = ShownRoom & { readonly extremities: readonly EventId[] }

/** The state that the resident server sent, the state before the join, and the membership changes that it causes. */
type Ground = { readonly shownRoot: number; readonly stateBefore: number; readonly foreseen: PrecomputedMemberChanges }

/**
 * Writes ahead the states that would take too long in the unit that enters a large room. State nodes without a
 * reference do no harm.
 */
async function layGround(db: Database, { roomId }: RoomContext, { state, own, servers }: ShownRoom): Promise<Ground> {
  const shownRoot = await stateInSteps(db, state)
  // If the members were omitted, those among the join's auth events were included nevertheless.
  const stateBefore = servers
    ? await db.write(async (tx) => withNamedMembers(tx, shownRoot, await eventsById(tx, own.authEvents)))
    : shownRoot
  const now = (await roomById(db.read, roomId))?.stateRoot ?? 0
  return { shownRoot, stateBefore, foreseen: await precomputeMemberChanges(db.read, now, stateBefore) }
}

async function enterRoom(
  tx: Tx,
  { serverName }: Needs,
  context: RoomContext & Ground,
  shown: Shown,
): Promise<ResolutionNeed | undefined> {
  const { version, roomId, shownRoot, stateBefore } = context
  const room = await openRoom(tx, roomId)
  if (!room) throw new Error('the new room cannot be opened')
  // Another local user joined in the meantime, through another node.
  if ((await joinedServers(tx, roomId)).has(serverName)) {
    const outcome = await appendForeign(tx, room, { pdu: shown.own, version, isAdrift: true })
    if (isNeed(outcome)) return outcome
    if (outcome !== 'appended' && outcome !== 'known')
      throw new RemoteError('malformed', `the local join was ${outcome}`)
    return undefined
  }
  if (!(await isAllowed(tx, context, shown.own, stateBefore))) {
    throw new RemoteError('malformed', 'the state that was sent does not allow the join')
  }
  await appendJoin(tx, room, shown, context)
  const { servers } = shown
  await noteMembersKnown(tx, room, shown.own, servers && { servers, baseRoot: shownRoot })
  return undefined
}

async function isAllowed(tx: Tx, { version, roomId }: RoomContext, own: Pdu, stateBefore: number): Promise<boolean> {
  const makes = version.roomIds === 'hash of create event' ? [createOfRoomId(roomId)] : []
  const named = await eventsById(tx, [...own.authEvents, ...makes])
  const byId = new Map(named.map(({ pdu, status }) => [pdu.id, { pdu, isRejected: status === EVENT_STATUS.rejected }]))
  if (!judgeByAuthEvents(own, version, (id) => byId.get(id)).allowed) return false
  const { state } = await loadAuthState(tx, stateBefore, own, version)
  return authorize(own, state).allowed
}

/** Appends the join, at which the room's local graph starts; events before it are fetched by backfill. */
async function appendJoin(
  tx: Tx,
  room: OpenRoom,
  { own, extremities }: Shown,
  context: RoomContext & Ground,
): Promise<void> {
  const { version, stateBefore, foreseen } = context
  const [earlier] = await eventsById(tx, [own.id])
  const nid = earlier?.nid ?? tx.takeNid()
  const stateAfter = await stateWithEvent(tx, stateBefore, { nid, pdu: own })
  const others = (await eventsById(tx, extremities)).filter(
    (extremity) => room.extremityNids.includes(extremity.nid) && extremity.stateAfter !== 0,
  )
  const row = {
    room: room.nid,
    status: 'accepted',
    stateBefore,
    stateAfter,
    nid,
    isKept: earlier !== undefined,
  } as const
  // State resolution reads the events of a fork.
  if (others.length > 0) await putOutlier(tx, own, row)
  const now = await resolvedRootIfCheap(tx, version, [stateAfter, ...others.map((extremity) => extremity.stateAfter)])
  const place = {
    stateBefore,
    stateAfter,
    // If merging the forward extremities is expensive, the state stays as it was sent until the merge is done.
    roomRoot: now ?? stateAfter,
    isUnsettled: now === undefined,
    extremityNids: [...others.map((extremity) => extremity.nid), null],
    nid,
    isKept: earlier !== undefined || others.length > 0,
    foreseen,
  }
  const { position } = await appendEvent(tx, room, own, { notifies: 'no' }, place)
  const there = new Set(
    (await eventsById(tx, own.prevEvents)).filter((each) => each.position !== null).map(({ pdu }) => pdu.id),
  )
  const gaps = own.prevEvents.filter((id) => !there.has(id))
  await putBackwardExtremities(tx, room.nid, gaps, position)
}
