// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import type { RawJson } from '@myelin/kit/raw-json'
import { step } from '@myelin/kit/turn'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { redactPdu } from '@myelin/rules/redaction'
import type { Read } from '@myelin/storage/engine/database'
import { aliasesOf } from '@myelin/storage/rooms/aliases'
import { cachedEvents } from '@myelin/storage/rooms/events/cached-events'
import { eventsByNid, timeline } from '@myelin/storage/rooms/events/events'
import { usersOfServer } from '@myelin/storage/rooms/members/joined-servers'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import { versionOfRoom } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { clientEvent } from '../../reading/client-event.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import type { AppService } from '../../runtime/app-services.ts'
import type { Stretch } from '../log-follower.ts'

const PAGE = 200
const MAX_ROOMS = 20_000
/** The estimated cost of looking at an event. */
const EVENT_COST_US = 15

/** An event for an application service. */
export interface InterestingEvent {
  readonly position: number
  readonly event: StoredEvent
}

/**
 * Finds the events that an application service is interested in: those in a room of its namespaces, and those by or about its
 * users, or in a room that has one of them as a member.
 *
 * @see https://spec.matrix.org/v1.19/application-service-api/#registration
 */
export class InterestingEvents {
  readonly #service: AppService
  readonly #serverName: ServerName
  /** Whether a room has a member of the service, by room. */
  readonly #joined = new Cache<RoomId, boolean>(MAX_ROOMS)

  constructor(service: AppService, serverName: ServerName) {
    this.#service = service
    this.#serverName = serverName
  }

  /** Returns whether a room is in the namespaces, or has an alias or a joined user of the service. */
  async hasInterestIn(db: Read, roomId: RoomId): Promise<boolean> {
    if (this.#service.hasRoom(roomId)) return true
    // The state read here may be ahead of the events that are still to be sent, so it is not kept for them.
    return (this.#joined.get(roomId) ?? (await this.#hasMember(db, roomId))) || this.#hasAlias(db, roomId)
  }

  /** Returns whether a user is of the service, or joined to a room that it is interested in. */
  async hasInterestInUser(db: Read, user: UserId): Promise<boolean> {
    if (this.#service.hasUser(user)) return true
    for (const { membership, roomId } of await cachedMemberships(db, user)) {
      if (membership === 'join' && (await this.hasInterestIn(db, roomId))) return true
    }
    return false
  }

  /** Forgets what is known of the rooms. */
  clear(): void {
    this.#joined.clear()
  }

  /** Returns the events of a stretch of the log in these rooms, in the order of the log. */
  async among(db: Read, rooms: Iterable<RoomId>, stretch: Stretch): Promise<InterestingEvent[]> {
    const found: InterestingEvent[] = []
    for (const roomId of rooms) await this.#inRoom(db, roomId, stretch, found)
    return found.toSorted((a, b) => a.position - b.position)
  }

  /** Returns the invites of users into rooms that this server is not in, in a stretch of the log. */
  async invites(db: Read, users: Iterable<UserId>, { after, upTo }: Stretch): Promise<InterestingEvent[]> {
    const found: InterestingEvent[] = []
    for (const user of users) {
      const invites = (await cachedMemberships(db, user)).filter(
        ({ membership, position }) => membership === 'invite' && position > after && position <= upTo,
      )
      const events = await eventsByNid(
        db,
        invites.map(({ eventNid }) => eventNid),
      )
      for (const { eventNid, position } of invites) {
        const event = events.get(eventNid)
        // One with a place is found in its room.
        if (event && event.position === null) found.push({ position, event })
      }
    }
    return found
  }

  async #inRoom(db: Read, roomId: RoomId, { after, upTo }: Stretch, found: InterestingEvent[]): Promise<void> {
    const isOfRoom = this.#service.hasRoom(roomId) || (await this.#hasAlias(db, roomId))
    for (let start = after; ; ) {
      const page = await timeline(db, { roomId, direction: 'forward', after: start, before: upTo + 1, limit: PAGE })
      for (const event of page) {
        const isIn = isOfRoom || (await this.#isJoined(db, roomId, page, event))
        if (isIn || this.#concerns(event.pdu)) found.push({ position: event.position ?? 0, event })
        await step(EVENT_COST_US)
      }
      if (page.length < PAGE) return
      start = page.at(-1)?.position ?? upTo
    }
  }

  async #hasAlias(db: Read, roomId: RoomId): Promise<boolean> {
    if (this.#service.settings.aliases.length === 0) return false
    return (await aliasesOf(db, roomId)).some((alias) => this.#service.hasAlias(alias))
  }

  #concerns({ sender, type, stateKey }: Pdu): boolean {
    return this.#service.hasUser(sender) || (type === 'm.room.member' && this.#service.hasUser(stateKey ?? ''))
  }

  /** Returns whether the room had a member of the service at an event of a page, which it walks through in order. */
  async #isJoined(db: Read, roomId: RoomId, page: readonly StoredEvent[], event: StoredEvent): Promise<boolean> {
    const isOwnMember = ({ pdu }: StoredEvent) =>
      pdu.type === 'm.room.member' && pdu.stateKey !== undefined && this.#service.hasUser(pdu.stateKey)
    let isIn = this.#joined.get(roomId)
    if (isIn === undefined) {
      // A leave that is still to come shows that there was a member.
      const next = page.slice(page.indexOf(event)).find(isOwnMember)
      const isLeave = next !== undefined && stringMember(next.pdu.content, 'membership') === 'leave'
      isIn = isLeave || (await this.#hasMember(db, roomId))
      this.#joined.set(roomId, isIn)
    }
    if (!isOwnMember(event)) return isIn
    const isJoin = stringMember(event.pdu.content, 'membership') === 'join'
    this.#joined.set(roomId, isJoin || (await this.#hasMember(db, roomId)))
    return true
  }

  async #hasMember(db: Read, roomId: RoomId): Promise<boolean> {
    const users = await usersOfServer(db, roomId, this.#serverName)
    return users.some(({ userId, membership }) => membership === 'join' && this.#service.hasUser(userId))
  }
}

/** Returns events as an application service gets them: in the client format with the room ID, without what depends on a reader. */
export async function appServiceEvents(db: Read, found: readonly InterestingEvent[], now: number): Promise<RawJson[]> {
  const events = found.map(({ event }) => event)
  const beside = await cachedEvents(
    db,
    events.flatMap(({ replaces, redactedBy }) => [replaces ?? [], redactedBy ?? []].flat()),
  )
  const rendered: RawJson[] = []
  for (const event of events) {
    const version = roomVersionOf(await versionOfRoom(db, event.pdu.roomId))
    const replaced = event.replaces === null ? undefined : beside.get(event.replaces)
    const redaction = event.redactedBy === null ? undefined : beside.get(event.redactedBy)
    const ageOf = ({ pdu }: StoredEvent) => Math.max(0, now - pdu.originServerTs)
    const unsigned = {
      age: ageOf(event),
      replaces: replaced && {
        id: replaced.pdu.id,
        sender: replaced.pdu.sender,
        content: replaced.redactedBy === null ? replaced.pdu.content : redactPdu(replaced.pdu, version).content,
      },
      redactedBecause: redaction && clientEvent(redaction, version, { age: ageOf(redaction) }, { hasRoomId: true }),
    }
    rendered.push(clientEvent(event, version, unsigned, { hasRoomId: true }))
    await step(EVENT_COST_US)
  }
  return rendered
}
