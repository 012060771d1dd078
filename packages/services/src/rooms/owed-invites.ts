// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Tx } from '@myelin/storage/engine/database'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { takeOwedInvites } from '@myelin/storage/rooms/owed-invites'
import type { OwedInvite } from '@myelin/storage/rooms/owed-invites'
import { fanOut } from '../peers/fan-out.ts'
import { inviteRulesOf } from '../standing/invite-rules.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { EventMaker } from './drafts/event-draft.ts'
import { inviteRemote } from './handshake/invite-remote.ts'
import type { Joiner } from './handshake/join-remote.ts'
import { changeMembership, memberContent } from './append/members-change.ts'
import { isNeed } from './resolution/unit-needs.ts'
import type { UnitNeed } from './resolution/unit-needs.ts'
import { writeEvents } from './append/write-events.ts'

/** Local users invited in one unit, so that other writers get their turn in between. */
export const INVITES_A_UNIT = 20
const REMOTE_AT_ONCE = 4
/** The time after which another node sends the remote invites of a node that died. They may wait for slow servers. */
const REMOTE_DUE_MS = 10 * 60_000

type Needs = EventMaker & Joiner & Pick<Runtime, 'db' | 'log'>
/** The part of an invite that the users of a room have in common. */
type Invites = Pick<OwedInvite, 'roomId' | 'sender' | 'isDirect'> & { readonly targets: readonly UserId[] }

/**
 * Returns the invites that a new room owes. Local ones are due at once: every node that sends them takes them from the database
 * first. Remote ones are due after {@link REMOTE_DUE_MS}.
 */
export function invitesOwed(rt: Pick<Runtime, 'serverName' | 'clock'>, invites: Invites): OwedInvite[] {
  const { targets, ...shared } = invites
  return targets.map((target) => ({
    ...shared,
    target,
    dueTs: rt.clock.now() + (serverOf(target) === rt.serverName ? 0 : REMOTE_DUE_MS),
  }))
}

/** Sends owed invites of one room. Refusals are logged only: the creator can invite the users again. */
export async function sendOwedInvites(rt: Needs, { targets, ...invites }: Invites): Promise<void> {
  const local = targets.filter((target) => serverOf(target) === rt.serverName)
  for (let at = 0; at < local.length; at += INVITES_A_UNIT)
    await inviteHere(rt, { ...invites, targets: local.slice(at, at + INVITES_A_UNIT) })
  const elsewhere = targets.filter((target) => serverOf(target) !== rt.serverName)
  await fanOut(elsewhere, REMOTE_AT_ONCE, (target) => inviteElsewhere(rt, { ...invites, targets: [target] }, target))
}

async function inviteHere(rt: Needs, invites: Invites): Promise<void> {
  const { roomId, targets } = invites
  try {
    await writeEvents(rt, async (tx, maker) => {
      const owed = await takeOwedInvites(tx, roomId, targets)
      return (await inviteAll(tx, maker, { ...invites, targets: targets.filter((each) => owed.has(each)) })) ?? true
    })
  } catch (cause) {
    await refused(rt, cause, invites)
  }
}

async function inviteElsewhere(rt: Needs, invites: Invites, target: UserId): Promise<void> {
  const { roomId, sender, isDirect } = invites
  const extra = isDirect ? { extra: { is_direct: true } } : {}
  try {
    const standing = (await membershipIn(rt.db.read, roomId, target))?.membership
    // The node that died may have sent it.
    if (standing === undefined || standing === 'leave') {
      const content = await memberContent(rt.db.read, rt, { target, membership: 'invite', ...extra })
      await inviteRemote(rt, { roomId, sender, target, content })
    }
    await rt.db.write((tx) => takeOwedInvites(tx, roomId, [target]))
  } catch (cause) {
    await refused(rt, cause, invites)
  }
}

async function refused(rt: Needs, cause: unknown, { roomId, targets }: Invites): Promise<void> {
  if (!(cause instanceof MatrixError)) throw cause
  rt.log.info({ err: cause, targets, roomId }, 'users could not be invited to a new room')
  await rt.db.write((tx) => takeOwedInvites(tx, roomId, targets))
}

/** Invites local users inside a unit of work, without those whose settings block all invites. */
export async function inviteAll(
  tx: Tx,
  rt: EventMaker,
  { roomId, sender, isDirect, targets }: Invites & { readonly roomId: RoomId },
): Promise<UnitNeed | undefined> {
  const extra = isDirect ? { extra: { is_direct: true } } : {}
  for (const target of targets) {
    if ((await inviteRulesOf(tx, target))(sender) === 'block') continue
    const invited = await changeMembership(tx, rt, { roomId, sender, target, membership: 'invite', ...extra })
    if (isNeed(invited)) return invited
  }
  return undefined
}
