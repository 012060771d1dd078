// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, UserId } from '@myelin/matrix/ids'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import { refuseInvites } from '../standing/may-invite.ts'
import { refuseSuspended } from '../standing/suspension.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { checkContent } from './drafts/check-content.ts'
import { Rehearsed } from './drafts/event-draft.ts'
import type { EventDraft, EventMaker } from './drafts/event-draft.ts'
import { inviteRemote } from './handshake/invite-remote.ts'
import type { Joiner } from './handshake/join-remote.ts'
import { changeMembership } from './append/members-change.ts'
import { isNeed, SignatureNeed } from './resolution/unit-needs.ts'
import { refuseLeavingNotices } from './membership.ts'
import { sendEvent } from './send-event.ts'
import { writeEvents } from './append/write-events.ts'

type Needs = EventMaker & Joiner & Pick<Runtime, 'db' | 'limits' | 'typing' | 'config'>
const MEMBERSHIPS = ['join', 'invite', 'leave', 'ban', 'knock'] as const

/**
 * Sets a state event; a member event runs the checks of the membership endpoints.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey
 */
export async function setState(rt: Needs, draft: EventDraft & { readonly stateKey: string }): Promise<EventId> {
  if (draft.type !== 'm.room.member') return sendEvent(rt, draft)
  checkContent(rt.serverName, draft)
  const membership = MEMBERSHIPS.find((name) => name === stringMember(draft.content, 'membership'))
  if (membership === undefined) throw new MatrixError('M_BAD_JSON', '`membership` is missing or unknown')
  if (!isUserId(draft.stateKey))
    throw new MatrixError('M_INVALID_PARAM', 'the state key of a member event must be a user ID')
  const target: UserId = draft.stateKey
  const extra: Record<string, Json> = { ...draft.content }
  // Only the server may set the user who authorizes a join.
  delete extra['join_authorised_via_users_server']
  if (membership !== 'leave' || target !== draft.sender) await refuseSuspended(rt, draft.sender)
  if (membership === 'leave' && target === draft.sender) await refuseLeavingNotices(rt, draft.roomId, target)
  if (membership === 'invite') await refuseInvites(rt, draft.sender)
  if (!draft.claim) rt.limits.take('message', draft.sender)
  const { roomId, sender } = draft
  if (membership === 'invite' && serverOf(target) !== rt.serverName) {
    if (draft.isRehearsal) throw new Rehearsed()
    // The invite is asked of another server, so it cannot be in the same unit.
    if (draft.claim) await rt.db.write(draft.claim)
    return inviteRemote(rt, { roomId, sender, target, content: { ...extra, membership } })
  }
  const eventId = await writeEvents(rt, async (tx, maker) => {
    await draft.claim?.(tx)
    const changed = await changeMembership(tx, maker, { roomId, sender, target, membership, extra })
    if (draft.isRehearsal && (!isNeed(changed) || changed instanceof SignatureNeed)) throw new Rehearsed()
    return changed
  })
  if (membership !== 'join') rt.typing.stop(roomId, target)
  return eventId
}
