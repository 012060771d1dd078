// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import { serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { cachedMemberships, membersOf } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import { userOfPresenceTopic } from '@myelin/storage/engine/topics'
import type { Runtime } from '../runtime.ts'

/** Several changes wake whoever waits once. */
const GATHER_MS = 1_000
/** In a larger room nobody is woken: they are told with their next answer. */
const MOST_MEMBERS = 100
const MOST_ROOMS = 100

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'log' | 'serverName'>

/**
 * Wakes those of our users who wait on this node and share a room of moderate size with somebody whose presence changed;
 * until the returned function is called.
 */
export function wakeWatchers(rt: Needs): () => void {
  const changed = new Set<UserId>()
  let timer: Timer | undefined
  const flush = () => {
    timer = undefined
    const users = [...changed]
    changed.clear()
    watchersOf(rt, users)
      .then((topics) => rt.bus.announce({ position: 0, topics }))
      .catch((cause: unknown) => rt.log.error({ err: cause }, 'nobody could be told of a presence'))
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
    for (const { roomId } of joined.slice(0, MOST_ROOMS)) rooms.add(roomId)
  }
  for (const roomId of rooms) {
    if (((await roomById(db.read, roomId))?.joinedCount ?? 0) > MOST_MEMBERS) continue
    for (const { userId } of await membersOf(db.read, roomId, ['join'], MOST_MEMBERS)) {
      if (serverOf(userId) === serverName) watchers.add(userId)
    }
  }
  return watchers
}
