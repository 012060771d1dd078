// SPDX-License-Identifier: Apache-2.0
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import { storedPushRules } from '@myelin/storage/accounts/push-rules'
import { dropToDevice, keepsUpTo } from '@myelin/storage/sync/to-device'
import { ignoredUsers } from '../../standing/ignored-users.ts'
import { assemble } from './assemble.ts'
import { longPoll } from '../long-poll.ts'
import type { PollAnswer, PollNeeds } from '../long-poll.ts'
import type { SyncRequest } from '../sync-request.ts'

/**
 * Returns the changes since the client's last sync; waits for changes if there are none.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync
 */
export function sync(
  rt: PollNeeds,
  request: SyncRequest,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const { requester, presence, timeoutMs, since, isFullState } = request
  const poll = {
    requester,
    presence,
    waits: since !== undefined && !isFullState,
    timeoutMs,
    begin: () => acknowledge(rt, request),
    look: () => look(rt, request),
  }
  return longPoll(rt, poll, signal)
}

async function look(rt: PollNeeds, request: SyncRequest): Promise<PollAnswer> {
  const position = await rt.db.position()
  const upTo = {
    position,
    typing: rt.typing.serial,
    toDevice: 0,
    begun: request.since ? request.since.begun : position,
  }
  const user = request.requester.userId
  const db = rt.db.read
  const all = await cachedMemberships(db, user)
  // Changes after the position belong to the next look.
  const memberships = all.filter(({ position }) => position <= upTo.position)
  const ignored = await ignoredUsers(db, user)
  const hasOwnRules = (await storedPushRules(db, user)) !== undefined
  const { since } = request
  const slice = { request, user, since, upTo, now: rt.clock.now(), memberships, ignored, hasOwnRules }
  const { body, isEmpty } = await assemble(rt, db, slice)
  return { isEmpty, idle: body, finish: async () => body }
}

/** Deletes to-device messages that the token acknowledges. */
async function acknowledge(rt: PollNeeds, { requester, since }: SyncRequest): Promise<void> {
  if (!since || since.toDevice === 0) return
  const { userId, deviceId } = requester
  if (await keepsUpTo(rt.db.read, userId, deviceId, since.toDevice))
    await rt.db.write((tx) => dropToDevice(tx, userId, deviceId, since.toDevice))
}
