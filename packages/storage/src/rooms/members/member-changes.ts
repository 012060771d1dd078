// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Read, Tx } from '../../engine/database.ts'
import { passingPdus, pdusByNid } from '../events/events.ts'
import { memberNids, putMembership } from './members.ts'
import { internUsers, keyNames, userNids } from '../../engine/names.ts'
import { insertRows } from '../../engine/prepared.ts'
import type { OpenRoom } from '../rooms.ts'
import { topics } from '../../engine/topics.ts'
import type { Nid, Position } from '../../schema/schema.ts'
import { stateDifference } from '../state/state.ts'

/** An event that moves a room on, if one does, and the root of the room's state then where that is more than the event itself. */
export interface Move {
  readonly own?: { readonly event: Pdu; readonly nid: Nid }
  readonly root: Nid | undefined
  readonly position: Position
  /** The member changes on the way to `root` that were computed before the unit. */
  readonly foreseen?: PrecomputedMemberChanges | undefined
}

/** The membership of a user, and the event that set it. */
interface Standing {
  readonly user: UserId
  readonly membership: string
  readonly event: Nid
}

/** The differences in members between two states, computed before the write transaction that changes a large room. */
export interface PrecomputedMemberChanges {
  readonly from: Nid
  readonly to: Nid
  readonly standings: readonly Standing[]
}

type Counts = { joined: number; invited: number }

/** From this number of changes on, the existing members are read in one query. */
const MANY = 50

/** Works out how the members differ between two states of a room. */
export async function precomputeMemberChanges(db: Read, from: Nid, to: Nid): Promise<PrecomputedMemberChanges> {
  const standings = await standingsBetween(db, from, to)
  // The unit that writes them then finds their numbers in memory.
  await userNids(
    db,
    standings.map(({ user }) => user),
  )
  return { from, to, standings }
}

/** Updates a room's members to its new state; returns the new counts. */
export async function updateMembers(tx: Tx, room: OpenRoom, move: Move): Promise<Counts> {
  const counts = { joined: room.joinedCount, invited: room.invitedCount }
  const standings = move.root === undefined ? ownStanding(move) : await changedStandings(tx, room, move)
  const rest = standings.length < MANY ? standings : await putNewMembers(tx, room, move.position, standings)
  if (rest !== standings) {
    const old = new Set(rest)
    for (const standing of standings) if (!old.has(standing)) count(counts, standing.membership, 1)
  }
  for (const standing of rest) {
    const now = { membership: standing.membership, event: standing.event, position: move.position }
    const before = await putMembership(tx, room.nid, standing.user, now)
    count(counts, before, -1)
    count(counts, standing.membership, 1)
  }
  return counts
}

/** Inserts the members that are new to the room; returns the others. */
async function putNewMembers(
  tx: Tx,
  room: OpenRoom,
  position: Position,
  standings: readonly Standing[],
): Promise<readonly Standing[]> {
  const there = await memberNids(tx, room.nid)
  const nids = await internUsers(
    tx,
    standings.map(({ user }) => user),
  )
  const isThere = ({ user }: Standing) => there.has(nids.get(user) ?? 0)
  const fresh = standings.filter((standing) => !isThere(standing))
  const rows = fresh.map(({ user, membership, event }) => ({
    room_nid: room.nid,
    user_nid: nids.get(user) ?? 0,
    membership,
    event_nid: event,
    position,
    forgotten: 0,
    stripped_state: null,
  }))
  await insertRows(tx, 'members', rows)
  for (const { user } of fresh) tx.touch(user)
  if (fresh.length > 0) tx.touch(topics.members(room.nid))
  return standings.filter(isThere)
}

function ownStanding({ own }: Move): Standing[] {
  if (own?.event.type !== 'm.room.member' || own.event.stateKey === undefined) return []
  const { event, nid } = own
  return [{ user: event.stateKey as UserId, membership: membershipIn(event), event: nid }]
}

/** Returns the changed memberships. After a merge of forks, those of other users may differ as well. */
async function changedStandings(tx: Tx, room: OpenRoom, { own, root, foreseen }: Move): Promise<Standing[]> {
  const to = root ?? room.stateRoot
  if (foreseen?.from !== room.stateRoot) return standingsBetween(tx, room.stateRoot, to, own)
  const standings = new Map(foreseen.standings.map((standing) => [standing.user, standing]))
  for (const last of await standingsBetween(tx, foreseen.to, to, own)) standings.set(last.user, last)
  return [...standings.values()]
}

/** Returns the memberships under one state that differ from those under another; `own` has no row yet. */
async function standingsBetween(
  db: Read,
  from: Nid,
  to: Nid,
  own?: { readonly event: Pdu; readonly nid: Nid },
): Promise<Standing[]> {
  const changes = await stateDifference(db, from, to)
  const names = await keyNames(
    db,
    changes.map(({ key }) => key),
  )
  const members = changes.filter(({ key }) => names.get(key)?.type === 'm.room.member')
  const memberships = await membershipsIn(
    db,
    members.flatMap(({ after }) => (after === undefined || after === own?.nid ? [] : [after])),
  )
  return members.flatMap(({ key, before, after }) => {
    const user = names.get(key)?.stateKey as UserId
    if (after === undefined) return before === undefined ? [] : [{ user, membership: 'leave', event: before }]
    const membership = after === own?.nid ? membershipIn(own.event) : memberships.get(after)
    return membership === undefined ? [] : [{ user, membership, event: after }]
  })
}

/** The number of events that are read at a time, without caching them. */
const SLICE = 200

/** Returns the memberships that these events set, reading a slice of them at a time. */
async function membershipsIn(db: Read, nids: readonly Nid[]): Promise<ReadonlyMap<Nid, string>> {
  const memberships = new Map<Nid, string>()
  for (let start = 0; start < nids.length; start += SLICE) {
    const slice = nids.slice(start, start + SLICE)
    const pdus = await (nids.length < MANY ? pdusByNid(db, slice) : passingPdus(db, slice))
    for (const [nid, pdu] of pdus) memberships.set(nid, membershipIn(pdu))
    // Outside of a unit others get their turn.
    if (!('onCommit' in db)) await nextTurn()
  }
  return memberships
}

const membershipIn = (event: Pdu) => stringMember(event.content, 'membership') ?? 'leave'

function count(counts: Counts, membership: string | undefined, change: number): void {
  if (membership === 'join') counts.joined += change
  if (membership === 'invite') counts.invited += change
}
