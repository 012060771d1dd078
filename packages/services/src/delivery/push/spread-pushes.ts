// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { RuleChoice } from '@myelin/rules/push/default-rules'
import { pushedMembers, usersInvitedAfter } from '@myelin/storage/accounts/pushers'
import type { Read } from '@myelin/storage/engine/database'
import { roomNid } from '@myelin/storage/engine/names'
import { roomsChangedAfter } from '@myelin/storage/federation/outgoing-events'
import { eventsByNid, timeline } from '@myelin/storage/rooms/events/events'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import type { Stretch } from '../log-follower.ts'
import type { PendingPush } from './pending-push.ts'
import { pendingPush } from './pending-push.ts'
import { PushJudge } from './push-judge.ts'

/** A push and the user it goes to. */
interface UserPush {
  readonly userId: UserId
  readonly push: PendingPush
}

/** The pushes of a stretch of the log, and the users with pushers who sent events in it. */
export interface SpreadPushes {
  readonly pushes: readonly UserPush[]
  readonly senders: readonly { readonly userId: UserId; readonly roomId: RoomId }[]
}

const PAGE = 200

type Found = { readonly found: UserPush[]; readonly senders: SpreadPushes['senders'][number][] }

/**
 * Returns the pushes of a stretch of the log, in its order. `rooms` and `users` are those that changed, undefined for all.
 *
 * Members get what was sent while they were joined; an invite is pushed to the invited user.
 */
export async function spreadPushes(
  db: Read,
  rooms: ReadonlySet<RoomId> | undefined,
  users: ReadonlySet<UserId> | undefined,
  stretch: Stretch,
  choice: RuleChoice,
): Promise<SpreadPushes> {
  const found: UserPush[] = []
  const senders: SpreadPushes['senders'][number][] = []
  for (const roomId of rooms ?? (await roomsChangedAfter(db, stretch.after)))
    await spreadRoom(new PushJudge(db, roomId, choice), roomId, stretch, { found, senders })
  for (const user of users ?? (await usersInvitedAfter(db, stretch.after)))
    found.push(...(await invitesOf(db, user, stretch, choice)).map((push) => ({ userId: user, push })))
  return { pushes: found.toSorted((a, b) => a.push.position - b.push.position), senders }
}

async function spreadRoom(
  judge: PushJudge,
  roomId: RoomId,
  { after, upTo }: Stretch,
  { found, senders }: Found,
): Promise<void> {
  const { db } = judge
  const nid = await roomNid(db, roomId)
  const members = nid === undefined ? [] : await pushedMembers(db, nid)
  if (members.length === 0) return
  for (let start = after; ; ) {
    const page = await timeline(db, { roomId, direction: 'forward', after: start, before: upTo + 1, limit: PAGE })
    for (const event of page) {
      const position = event.position ?? 0
      if (event.redactedBy !== null) continue
      for (const { userId, joined } of members) {
        if (joined >= position) continue
        if (userId === event.pdu.sender) senders.push({ userId, roomId })
        const outcome = await judge.outcomeFor(userId, event.pdu)
        if (outcome) found.push({ userId, push: pendingPush(event, position, outcome) })
      }
    }
    if (page.length < PAGE) return
    start = page.at(-1)?.position ?? upTo
  }
}

/** Returns the pushes of a user's invites after one position and up to another, also into rooms of other servers. */
export async function invitesOf(
  db: Read,
  user: UserId,
  { after, upTo }: Stretch,
  choice: RuleChoice,
): Promise<PendingPush[]> {
  const invites = (await cachedMemberships(db, user)).filter(
    ({ membership, position }) => membership === 'invite' && position > after && position <= upTo,
  )
  const events: ReadonlyMap<number, StoredEvent> = await eventsByNid(
    db,
    invites.map(({ eventNid }) => eventNid),
  )
  const pushes: PendingPush[] = []
  for (const { eventNid, position, roomId } of invites) {
    const event = events.get(eventNid)
    const outcome = event && (await new PushJudge(db, roomId, choice).outcomeFor(user, event.pdu))
    if (event && outcome) pushes.push(pendingPush(event, position, outcome))
  }
  return pushes
}
