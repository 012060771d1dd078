// SPDX-License-Identifier: Apache-2.0
import type { Hint } from '@myelin/kit/bus'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import { accountOf } from '@myelin/storage/accounts/accounts'
import { appServicePlace, putAppServicePlace } from '@myelin/storage/accounts/app-service-places'
import type { AppServicePlace } from '@myelin/storage/accounts/app-service-places'
import { roomOfReceiptsTopic } from '@myelin/storage/engine/topics'
import { roomsChangedAfter } from '@myelin/storage/federation/outgoing-events'
import { usersOfServerInvitedAfter } from '@myelin/storage/rooms/members/invited-users'
import { dropDelivered, toDeviceOfUsers, usersWithToDevice } from '@myelin/storage/sync/to-device'
import type { AddressedMessage } from '@myelin/storage/sync/to-device'
import { askForUser, callAppService } from '../../peers/app-service.ts'
import type { AppService } from '../../runtime/app-services.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { LogFollower } from '../log-follower.ts'
import type { Rest, Stretch } from '../log-follower.ts'
import { messageForAppService, receiptEventsFor } from './direct-data.ts'
import { deviceListsFor, encryptionMembers } from './encryption-data.ts'
import type { DeviceListNews } from './encryption-data.ts'
import { FleetingData } from './fleeting.ts'
import { appServiceEvents, InterestingEvents } from './interesting-events.ts'
import type { InterestingEvent } from './interesting-events.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'random' | 'log' | 'remote' | 'serverName' | 'typing'>

/** The parts of a transaction. */
interface Parts {
  readonly events: readonly InterestingEvent[]
  readonly ephemeral: readonly JsonObject[]
  readonly toDevice: readonly AddressedMessage[]
  readonly deviceLists: DeviceListNews
}

const NO_LISTS: DeviceListNews = { changed: [], left: [] }

/** The most events of a transaction, as in Synapse. */
const MAX_EVENTS = 100
/** The most messages to devices of a transaction. */
const MAX_MESSAGES = 100
/** The most positions of the log that are looked through at once: what is kept in memory is bounded by it. */
const MAX_POSITIONS = 1_000
/** The most changed rooms and users that are remembered. */
const MAX_CHANGED = 50_000
const TIMEOUT_MS = 60_000
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 8 * 60_000

/**
 * Sends the events that an application service is interested in to it, in order and one transaction at a time.
 *
 * It runs on one node. The stretch of a transaction is on disk before it is sent, and sent again with the same number until the
 * service has taken it, also after a crash.
 *
 * @see https://spec.matrix.org/v1.19/application-service-api/#pushing-events
 */
export class AppServiceSender {
  readonly #rt: Needs
  readonly #service: AppService
  readonly #follower: LogFollower
  readonly #interest: InterestingEvents
  readonly #fleeting: FleetingData
  #place: AppServicePlace = { transaction: 0, after: 0, upTo: 0, isTaken: true }
  /** The rooms and users that changed since the last run; undefined if hints were missed. */
  #rooms: Set<RoomId> | undefined
  #users = new Set<UserId>()
  #failures = 0

  constructor(rt: Needs, service: AppService) {
    this.#rt = rt
    this.#service = service
    this.#interest = new InterestingEvents(service, rt.serverName)
    this.#fleeting = new FleetingData(rt, this.#interest)
    this.#follower = new LogFollower(rt, {
      name: `application service ${service.settings.id}`,
      onHint: (hint) => this.#onHint(hint),
      concerns: ({ position }) => position > 0 || this.#fleeting.isWaiting,
      begin: (_, cursor) => this.#begin(cursor),
      follow: (stretch, term) => this.#follow(stretch, term),
      safePosition: (reached) => Math.min(reached, this.#place.isTaken ? this.#place.upTo : this.#place.after),
    })
  }

  /** Resolves when everything was sent, or waits for another try. */
  settled(): Promise<void> {
    return this.#follower.settled()
  }

  /** Stops after the transaction under way; what was not sent is sent after the next start. */
  close(): Promise<void> {
    return this.#follower.close()
  }

  get #wantsEphemeral(): boolean {
    return this.#service.settings.ephemeralMembers.length > 0
  }

  #onHint(hint: Hint): void {
    const { topics: changed } = hint
    if (this.#wantsEphemeral) this.#fleeting.onHint(hint)
    if (changed.has('*')) return this.#lose()
    for (const topic of changed) {
      if (topic.startsWith('!')) this.#rooms?.add(topic as RoomId)
      else if (topic.startsWith('@') && this.#service.hasUser(topic)) this.#users.add(topic as UserId)
      const read = this.#wantsEphemeral ? roomOfReceiptsTopic(topic) : undefined
      if (read !== undefined) this.#rooms?.add(read)
    }
    if ((this.#rooms?.size ?? 0) + this.#users.size > MAX_CHANGED) this.#lose()
  }

  #lose(): void {
    this.#rooms = undefined
    this.#interest.clear()
  }

  async #begin(cursor: number): Promise<void> {
    this.#lose()
    this.#fleeting.clear()
    const { db } = this.#rt
    const { id } = this.#service.settings
    const known = await appServicePlace(db.read, id)
    if (known) {
      // Up to the cursor there was nothing to send.
      this.#place = known.isTaken ? { ...known, upTo: Math.max(known.upTo, cursor) } : known
      return
    }
    // A new service is not sent what was before it.
    const position = await db.position()
    this.#place = { transaction: 0, after: position, upTo: position, isTaken: true }
    await db.write((tx) => putAppServicePlace(tx, id, this.#place))
  }

  async #follow({ upTo }: Stretch, term: AbortSignal): Promise<Rest | undefined> {
    const [rooms, users] = [this.#rooms, this.#users]
    this.#rooms = new Set()
    this.#users = new Set()
    try {
      if (!this.#place.isTaken && !(await this.#finish(term))) return this.#restAfterFailure(term)
      while (this.#place.upTo < upTo && !term.aborted) {
        if (!(await this.#advance(upTo, rooms, users, term))) return this.#restAfterFailure(term)
      }
      return (await this.#sendFleeting(term)) ? undefined : this.#restAfterFailure(term)
    } catch (cause) {
      this.#lose()
      throw cause
    }
  }

  /** Sends the next transaction, if there is something to send; returns false where the service did not take it. */
  async #advance(
    upTo: number,
    rooms: ReadonlySet<RoomId> | undefined,
    users: ReadonlySet<UserId>,
    term: AbortSignal,
  ): Promise<boolean> {
    const after = this.#place.upTo
    const end = Math.min(upTo, after + MAX_POSITIONS)
    const found = await this.#found(rooms, users, { after, upTo: end })
    const messages = await this.#messages(rooms && users, { after, upTo: end })
    const last = [found[MAX_EVENTS - 1], messages[MAX_MESSAGES - 1]].map((each) => each?.position ?? end)
    const reached = Math.min(end, ...last)
    const ephemeral = await this.#receipts(rooms, { after, upTo: reached })
    const events = found.filter(({ position }) => position <= reached)
    const toDevice = messages.filter(({ position }) => position <= reached)
    const deviceLists = await this.#deviceLists(events, { after, upTo: reached })
    const parts = { events, toDevice, ephemeral, deviceLists }
    const { changed, left } = deviceLists
    if ([events, toDevice, ephemeral, changed, left].every(({ length }) => length === 0)) {
      this.#place = { ...this.#place, after, upTo: reached }
      return true
    }
    await this.#open({ after, upTo: reached })
    return this.#send(parts, term)
  }

  /** Sends typing and presence in a transaction of their own; a repetition of it is empty. */
  async #sendFleeting(term: AbortSignal): Promise<boolean> {
    const ephemeral = term.aborted ? [] : await this.#fleeting.take()
    if (ephemeral.length === 0) return true
    await this.#open({ after: this.#place.upTo, upTo: this.#place.upTo })
    return this.#send({ events: [], toDevice: [], ephemeral, deviceLists: NO_LISTS }, term)
  }

  /** Begins the next transaction, on disk. */
  async #open(stretch: Stretch): Promise<void> {
    this.#place = { transaction: this.#place.transaction + 1, ...stretch, isTaken: false }
    await this.#rt.db.write((tx) => putAppServicePlace(tx, this.#service.settings.id, this.#place))
  }

  async #receipts(rooms: Iterable<RoomId> | undefined, stretch: Stretch): Promise<JsonObject[]> {
    if (!this.#wantsEphemeral) return []
    const { read } = this.#rt.db
    const interested = { service: this.#service, interest: this.#interest }
    return receiptEventsFor(read, interested, rooms ?? (await roomsChangedAfter(read, stretch.after)), stretch)
  }

  async #deviceLists(events: readonly InterestingEvent[], stretch: Stretch): Promise<DeviceListNews> {
    if (!this.#service.settings.receivesDeviceLists) return NO_LISTS
    return deviceListsFor(this.#rt.db.read, { service: this.#service, interest: this.#interest }, events, stretch)
  }

  async #messages(users: Iterable<UserId> | undefined, { after, upTo }: Stretch): Promise<AddressedMessage[]> {
    if (!this.#wantsEphemeral) return []
    const { read } = this.#rt.db
    const waiting = [...(users ?? (await usersWithToDevice(read, after, upTo)))]
    const own = waiting.filter((user) => this.#service.hasUser(user))
    return own.length === 0 ? [] : toDeviceOfUsers(read, own, { after, upTo })
  }

  async #found(
    rooms: Iterable<RoomId> | undefined,
    users: Iterable<UserId>,
    stretch: Stretch,
  ): Promise<readonly InterestingEvent[]> {
    const { read } = this.#rt.db
    const events = await this.#interest.among(read, rooms ?? (await roomsChangedAfter(read, stretch.after)), stretch)
    const invites = await this.#interest.invites(read, rooms ? users : await this.#invited(stretch.after), stretch)
    return [...events, ...invites].toSorted((a, b) => a.position - b.position)
  }

  async #invited(after: number): Promise<UserId[]> {
    const { db, serverName } = this.#rt
    const users = await usersOfServerInvitedAfter(db.read, serverName, after)
    return users.filter((user) => this.#service.hasUser(user))
  }

  /** Sends the newest transaction again, which the service may have taken. */
  async #finish(term: AbortSignal): Promise<boolean> {
    const { after, upTo } = this.#place
    const events = await this.#found(undefined, [], { after, upTo })
    const [ephemeral, toDevice] = [
      await this.#receipts(undefined, { after, upTo }),
      await this.#messages(undefined, { after, upTo }),
    ]
    const deviceLists = await this.#deviceLists(events, { after, upTo })
    return this.#send({ events, ephemeral, toDevice, deviceLists }, term)
  }

  async #body({ events, ephemeral, toDevice, deviceLists }: Parts): Promise<object> {
    const { db, clock } = this.#rt
    const { receivesDeviceLists } = this.#service.settings
    const rendered = {
      events: await appServiceEvents(db.read, events, clock.now()),
      ...(receivesDeviceLists ? await encryptionMembers(db.read, this.#service, { deviceLists, toDevice }) : {}),
    }
    if (!this.#wantsEphemeral) return rendered
    const members = this.#service.settings.ephemeralMembers.map((name) => [name, ephemeral] as const)
    const messages = toDevice.map(messageForAppService)
    const named = { to_device: messages, 'de.sorunome.msc2409.to_device': messages }
    return { ...rendered, ...Object.fromEntries(members), ...(messages.length > 0 ? named : {}) }
  }

  async #send(parts: Parts, term: AbortSignal): Promise<boolean> {
    const { db, log } = this.#rt
    const { id } = this.#service.settings
    await this.#askForInvited(parts.events)
    const body = await this.#body(parts)
    const path = `/transactions/${this.#place.transaction}`
    try {
      const { status } = await callAppService(this.#rt, this.#service, {
        method: 'PUT',
        path,
        body,
        timeoutMs: TIMEOUT_MS,
        signal: term,
      })
      if (status < 200 || status >= 300) throw new RemoteError('refused', `it answered ${status}`, { status })
    } catch (cause) {
      if (!(cause instanceof RemoteError)) throw cause
      if (!term.aborted)
        log.warn({ appService: id, cause: cause.message }, 'an application service did not take a transaction')
      return false
    }
    this.#failures = 0
    this.#place = { ...this.#place, isTaken: true }
    await db.write(async (tx) => {
      await putAppServicePlace(tx, id, this.#place)
      await dropDelivered(tx, parts.toDevice)
    })
    return true
  }

  /** Asks the service for users of its namespace that were invited and are not registered: it may register them. */
  async #askForInvited(found: readonly InterestingEvent[]): Promise<void> {
    const users = new Set(
      found.flatMap(({ event: { pdu } }) => (pdu.type === 'm.room.member' ? [pdu.stateKey as UserId] : [])),
    )
    for (const user of users) {
      if (!this.#service.hasUser(user) || (await accountOf(this.#rt.db.read, user))) continue
      await askForUser(this.#rt, this.#service, user)
    }
  }

  #restAfterFailure(term: AbortSignal): Rest | undefined {
    // Of what changes meanwhile only some is in the sets.
    this.#rooms = undefined
    return term.aborted
      ? undefined
      : { restMs: Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 20)) }
  }
}
