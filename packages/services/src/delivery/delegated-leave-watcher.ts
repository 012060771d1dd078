// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { RemoteError } from '@myelin/remote/remote-error'
import { topics } from '@myelin/storage/engine/topics'
import { delayedEventById, deleteDelayedEvent, restartDelayedEvent } from '@myelin/storage/rooms/delayed-events'
import type { DelayedEvent } from '@myelin/storage/rooms/delayed-events'
import { delegatedLeaves, deleteDelegatedLeave, markSeen } from '@myelin/storage/rooms/delegated-leaves'
import type { DelegatedLeave } from '@myelin/storage/rooms/delegated-leaves'
import { sendDelayed } from '../rooms/delayed/delayed-draft.ts'
import type { DelayedEventNeeds } from '../rooms/delayed/delayed-draft.ts'
import { isInLivekitRoom } from '../rtc/livekit-api.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { LogFollower } from './log-follower.ts'

type Needs = DelayedEventNeeds & Pick<Runtime, 'bus' | 'log' | 'config' | 'remote'>

/** The time between two looks at a participant. */
const LOOK_MS = 5_000
/** The time within which a participant must connect. */
const CONNECT_MS = 60_000
/** The most questions to the SFU at a time. */
const AT_ONCE = 8

/**
 * Watches the participants of calls whose delayed leave was handed over: restarts the leave while they are connected to the SFU,
 * and sends it once they are gone. Runs on one node.
 *
 * While the SFU does not answer, nothing is restarted: the leave is then sent by its delay.
 */
export class DelegatedLeaveWatcher {
  readonly #rt: Needs
  readonly #follower: LogFollower

  constructor(rt: Needs) {
    this.#rt = rt
    this.#follower = new LogFollower(rt, {
      name: 'delegated leaves',
      concerns: ({ topics: changed }) => changed.has(topics.delegatedLeaves),
      follow: (_, term) => this.#look(term),
    })
  }

  /** Resolves when all participants were looked at. */
  settled(): Promise<void> {
    return this.#follower.settled()
  }

  /** Stops watching; the next start goes on. */
  close(): Promise<void> {
    return this.#follower.close()
  }

  async #look(term: AbortSignal): Promise<number | undefined> {
    const leaves = await delegatedLeaves(this.#rt.db.read)
    for (let start = 0; start < leaves.length && !term.aborted; start += AT_ONCE) {
      await Promise.all(leaves.slice(start, start + AT_ONCE).map((leave) => this.#check(leave)))
    }
    return leaves.length === 0 ? undefined : LOOK_MS
  }

  async #check(leave: DelegatedLeave): Promise<void> {
    const { db, config, clock, log } = this.#rt
    const { delayId, room, identity } = leave
    const event = await delayedEventById(db.read, delayId)
    const { livekit } = config.rtc
    if (!event || !livekit) {
      await db.write((tx) => deleteDelegatedLeave(tx, delayId))
      return
    }
    try {
      if (await isInLivekitRoom(this.#rt, livekit, room, identity)) await this.#restart(leave, event)
      else if (leave.isSeen || clock.now() - leave.createdTs >= CONNECT_MS) await this.#send(event)
    } catch (cause) {
      if (!(cause instanceof RemoteError)) throw cause
      log.warn({ err: cause }, 'the SFU did not say whether a participant is connected')
    }
  }

  /** Restarts the delay once a third of it is over, so that few writes are needed. */
  async #restart({ delayId, userId, isSeen }: DelegatedLeave, event: DelayedEvent): Promise<void> {
    const now = this.#rt.clock.now()
    const isOld = now - event.sinceTs >= event.delayMs / 3
    if (isSeen && !isOld) return
    await this.#rt.db.write(async (tx) => {
      if (!isSeen) await markSeen(tx, delayId)
      if (isOld) await restartDelayedEvent(tx, userId, delayId, now)
    })
  }

  async #send(event: DelayedEvent): Promise<void> {
    const { userId, delayId } = event
    try {
      await sendDelayed(this.#rt, event, {
        claim: async (tx) => {
          await deleteDelegatedLeave(tx, delayId)
          if (!(await deleteDelayedEvent(tx, { userId, delayId })))
            throw new MatrixError('M_NOT_FOUND', 'no such delayed event')
        },
      })
    } catch (cause) {
      if (!(cause instanceof MatrixError) || cause.status >= 500) throw cause
      // The room refuses the leave: its delay would end the same way.
      await this.#rt.db.write(async (tx) => {
        await deleteDelegatedLeave(tx, delayId)
        await deleteDelayedEvent(tx, { userId, delayId })
      })
    }
  }
}
