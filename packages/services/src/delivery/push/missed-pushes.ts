// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { RuleChoice } from '@myelin/rules/push/default-rules'
import type { Read } from '@myelin/storage/engine/database'
import { timeline } from '@myelin/storage/rooms/events/events'
import { joinedRoomsByAge } from '@myelin/storage/sync/changed-rooms'
import type { JoinedRoom } from '@myelin/storage/sync/changed-rooms'
import { readUpTo } from '@myelin/storage/sync/unread'
import type { Stretch } from '../log-follower.ts'
import type { PendingPush } from './pending-push.ts'
import { pendingPush } from './pending-push.ts'
import { PushJudge } from './push-judge.ts'
import { invitesOf } from './spread-pushes.ts'

/** The most missed events that are pushed after an outage; older ones are skipped. */
const MAX_MISSED = 100
/** The most events of one room that are looked at, the newest ones. */
const MAX_JUDGED = 500

/**
 * Returns what a user's pusher missed after one position and up to another: the newest 100 notifications that are still unread,
 * in the order of the log.
 */
export async function missedPushes(
  db: Read,
  user: UserId,
  stretch: Stretch,
  choice: RuleChoice,
): Promise<PendingPush[]> {
  const missed = await invitesOf(db, user, stretch, choice)
  for (const room of await joinedRoomsByAge(db, user)) {
    // The rooms come in the order of their last event, the newest first.
    if (room.last <= stretch.after) break
    missed.push(...(await missedInRoom(new PushJudge(db, room.roomId, choice), user, room, stretch)))
  }
  return missed.toSorted((a, b) => a.position - b.position).slice(-MAX_MISSED)
}

async function missedInRoom(
  judge: PushJudge,
  user: UserId,
  { roomId, joined }: JoinedRoom,
  { after, upTo }: Stretch,
): Promise<PendingPush[]> {
  const { db } = judge
  const read = await readUpTo(db, { roomId, user, joined, upTo })
  const events = await timeline(db, {
    roomId,
    direction: 'backward',
    after: Math.max(after, read.everywhere),
    before: upTo + 1,
    limit: MAX_JUDGED,
  })
  const pushes: PendingPush[] = []
  for (const event of events) {
    const position = event.position ?? 0
    // Events of threads count as unread until the room as a whole is read: the gateway may get one too many.
    if (event.redactedBy !== null || (event.thread === null && position <= read.main)) continue
    const outcome = await judge.outcomeFor(user, event.pdu)
    if (outcome) pushes.push(pendingPush(event, position, outcome))
    if (pushes.length >= MAX_MISSED) break
  }
  return pushes
}
