// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import { serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { cachedMemberships, membersOf } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import { userOfPresenceTopic } from '@myelin/storage/engine/topics'
import type { Runtime } from '../runtime.ts'

/** The time for which presence changes are gathered before syncs are woken. */
const GATHER_MS = 1_000
/** The largest room whose members are woken; others get the change with their next sync. */
const MAX_MEMBERS = 100
const MAX_ROOMS = 100

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'log' | 'serverName'>

/**
 * Wakes the waiting syncs of users on this node who share a room of moderate size with a user whose presence changed,
 * until the returned function is called.
 */
export function wakePresenceWatchers(rt: Needs): () => void {
  const changed = new Set<UserId>()
  let timer: Timer | undefined
  const flush = () => {
    timer = undefined
    const users = [...changed]
    changed.clear()
    watchersOf(rt, users)
      .then((topics) => rt.bus.announce({ position: 0, topics }))
      .catch((cause: unknown) => rt.log.error({ err: cause }, 'a presence change could not be announced'))
  }
  const stop = rt.bus.listen(({ topics }) => {
    for (const topic of topics) {
      const user = userOfPresenceTopic(topic)
      if (user) changed.add(user)
    }
    if (changed.size > 0) timer ??= rt.clock.later(GATHER_MS, flush)
  })
  return () => {
    stop()
    timer?.cancel()
  }
}

async function watchersOf({ db, serverName }: Needs, users: readonly UserId[]): Promise<Set<string>> {
  const rooms = new Set<Parameters<typeof membersOf>[1]>()
  const watchers = new Set<string>(users)
  for (const user of users) {
    const joined = (await cachedMemberships(db.read, user)).filter(({ membership }) => membership === 'join')
    for (const { roomId } of joined.slice(0, MAX_ROOMS)) rooms.add(roomId)
  }
  for (const roomId of rooms) {
    if (((await roomById(db.read, roomId))?.joinedCount ?? 0) > MAX_MEMBERS) continue
    for (const { userId } of await membersOf(db.read, roomId, ['join'], MAX_MEMBERS)) {
      if (serverOf(userId) === serverName) watchers.add(userId)
    }
  }
  return watchers
}
