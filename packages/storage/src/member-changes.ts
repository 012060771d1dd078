// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Tx } from './database.ts'
import { pdusByNid } from './events.ts'
import { moveMember } from './members.ts'
import { keyNames } from './names.ts'
import type { OpenRoom } from './rooms.ts'
import type { Nid, Position } from './schema.ts'
import { stateDifference } from './state.ts'

/** An event that moves a room on, and the root of the room's state with it where that is more than the event itself. */
export interface Move {
  readonly event: Pdu
  readonly nid: Nid
  readonly root: Nid | undefined
  readonly position: Position
}

type Standing = { readonly user: UserId; readonly membership: string; readonly event: Nid }
type Counts = { joined: number; invited: number }

/** Brings the room's members to where its state moves; answers its counts with it. */
export async function moveMembers(tx: Tx, room: OpenRoom, move: Move): Promise<Counts> {
  const counts = { joined: room.joinedCount, invited: room.invitedCount }
  for (const standing of move.root === undefined ? ownStanding(move) : await changedStandings(tx, room, move)) {
    const now = { membership: standing.membership, event: standing.event, position: move.position }
    const before = await moveMember(tx, room.nid, standing.user, now)
    count(counts, before, -1)
    count(counts, standing.membership, 1)
    tx.touch(standing.user)
  }
  return counts
}

function ownStanding({ event, nid }: Move): Standing[] {
  if (event.type !== 'm.room.member' || event.stateKey === undefined) return []
  return [{ user: event.stateKey as UserId, membership: membershipIn(event), event: nid }]
}

/** Where a fork was merged, other members than the event's own may stand differently than before. */
async function changedStandings(tx: Tx, room: OpenRoom, { event, nid, root }: Move): Promise<Standing[]> {
  const changes = await stateDifference(tx, room.stateRoot, root ?? room.stateRoot)
  const names = await keyNames(
    tx,
    changes.map(({ key }) => key),
  )
  const members = changes.filter(({ key }) => names.get(key)?.type === 'm.room.member')
  const pdus = await pdusByNid(
    tx,
    members.flatMap(({ after }) => (after === undefined || after === nid ? [] : [after])),
  )
  return members.flatMap(({ key, before, after }) => {
    const user = names.get(key)?.stateKey as UserId
    if (after === undefined) return before === undefined ? [] : [{ user, membership: 'leave', event: before }]
    const pdu = after === nid ? event : pdus.get(after)
    return pdu ? [{ user, membership: membershipIn(pdu), event: after }] : []
  })
}

const membershipIn = (event: Pdu) => stringMember(event.content, 'membership') ?? 'leave'

function count(counts: Counts, membership: string | undefined, change: number): void {
  if (membership === 'join') counts.joined += change
  if (membership === 'invite') counts.invited += change
}
