// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { mayServerSee } from '@myelin/rules/visibility'
import type { Read } from '@myelin/storage/engine/database'
import { EVENT_STATUS } from '@myelin/storage/rooms/events/events'
import { usersOfServer } from '@myelin/storage/rooms/members/joined-servers'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'
import { stickyEnds } from '../../room-state/sticky-ends.ts'
import { noAccess } from './server-access.ts'
import type { ServedRoom } from './server-access.ts'

/**
 * Returns whether the state before an event was computed here: for events in the timeline and soft-failed ones. For
 * others it came from another server at most.
 */
export function hasOwnState({ position, status }: StoredEvent): boolean {
  return position !== null || status === EVENT_STATUS.softFailed
}

/**
 * Decides for each event of a room whether the requesting server gets it in full or redacted.
 *
 * Sticky events go in full to every server in the room. The result for one state serves every event with that state.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
 */
export class ServerVisibility {
  readonly #db: Read
  readonly #room: ServedRoom
  readonly #visibilities = new Map<number, string | undefined>()
  readonly #memberships = new Map<number, readonly string[]>()
  #users: Promise<readonly UserId[]> | undefined

  constructor(db: Read, room: ServedRoom) {
    this.#db = db
    this.#room = room
  }

  async isWhole(event: StoredEvent): Promise<boolean> {
    // Outliers are state from other servers: state is served by `/state` in full, messages never.
    if (!hasOwnState(event)) return this.#room.isIn && event.pdu.stateKey !== undefined
    if (this.#room.isIn && (await stickyEnds(this.#db, [event])).size > 0) return true
    const root = event.stateBefore
    const view = { event: event.pdu, serverName: this.#room.origin, visibility: await this.#visibilityAt(root) }
    if (!this.#room.isIn && view.visibility !== 'world_readable') return false
    if (mayServerSee({ ...view, memberships: [] })) return true
    return mayServerSee({ ...view, memberships: await this.#membershipsAt(root) })
  }

  /** Refuses a server outside the room the data of an event that it may not see, such as the state before it. */
  async requireFullState(event: StoredEvent): Promise<void> {
    if (!this.#room.isIn && !(await this.isWhole(event))) throw noAccess()
  }

  async #visibilityAt(root: number): Promise<string | undefined> {
    if (this.#visibilities.has(root)) return this.#visibilities.get(root)
    const event = await loadStateEvent(this.#db, root, 'm.room.history_visibility')
    const visibility = event && stringMember(event.content, 'history_visibility')
    this.#visibilities.set(root, visibility)
    return visibility
  }

  async #membershipsAt(root: number): Promise<readonly string[]> {
    const kept = this.#memberships.get(root)
    if (kept) return kept
    const memberships: string[] = []
    for (const user of await (this.#users ??= this.#usersOfOrigin())) {
      const member = await loadStateEvent(this.#db, root, 'm.room.member', user)
      const membership = member && stringMember(member.content, 'membership')
      if (membership !== undefined) memberships.push(membership)
      if (membership === 'join') break
    }
    this.#memberships.set(root, memberships)
    return memberships
  }

  /** Users in the room now come first, because they most likely were in it then. */
  async #usersOfOrigin(): Promise<readonly UserId[]> {
    const users = await usersOfServer(this.#db, this.#room.id, this.#room.origin)
    const rank = ({ membership }: { membership: string }) => (membership === 'join' ? 0 : 1)
    return users.toSorted((a, b) => rank(a) - rank(b)).map(({ userId }) => userId)
  }
}
