// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { createOfRoomId } from '@myelin/rules/events/event-id'
import { nidsOfEvents } from '@myelin/storage/rooms/events/auth-edges'
import { internKeysOf } from '@myelin/storage/rooms/events/outliers'
import type { EventSink } from './arriving-events.ts'
import type { Checker } from './check-incoming.ts'
import type { RoomContext } from '../../room-state/room-context.ts'
import { fetchEvents } from './fetch-events.ts'
import type { Source } from './fetch-events.ts'
import { keepOutliers } from './keep-outliers.ts'
import { packPdu, unpackPdu } from './packed-pdu.ts'
import type { PackedPdu } from './packed-pdu.ts'

/** Number of events stored in one unit of work: a few milliseconds. */
const UNIT = 25
const MAX_EXAMINED = 1000
const MAX_IN_PROGRESS = 8
/** The most events that were referred to and not sent for which the missing ones are fetched, once. */
const MAX_FETCHED = 40

/** The events to store, and their room. */
export interface KeeperOptions {
  /** The room's number, where its create event is stored. */
  readonly room?: number
  /** Returns the room's number for a create event that was checked; called for each that arrives. */
  readonly admit?: (create: Pdu) => Promise<number>
  /** The IDs of the events to store; all where it is missing. */
  readonly wanted?: ReadonlySet<EventId>
}

/** An event with missing auth events; all of them before `next` are stored. */
type Waiting = PackedPdu & { readonly restsOn: readonly EventId[]; next: number }

/**
 * Stores outliers that arrive in any order, each after its auth events and judged by them. Events whose auth
 * events stay missing are dropped. Nothing is stored before the room's create event.
 */
export class OutlierKeeper implements EventSink {
  readonly #rt: Checker
  readonly #room: RoomContext
  readonly #options: KeeperOptions
  readonly #kept = new Set<EventId>()
  readonly #absent = new Set<EventId>()
  /** Waiting events, by one of their missing auth events. */
  readonly #waiting = new Map<EventId, Waiting[]>()
  readonly #underWay = new Set<Promise<void>>()
  #nid: number | undefined

  constructor(rt: Checker, room: RoomContext, options: KeeperOptions) {
    this.#rt = rt
    this.#room = room
    this.#nid = options.room
    this.#options = options
  }

  wants(id: EventId): boolean {
    return this.#options.wanted?.has(id) ?? true
  }

  /** Returns the number of the room, once its create event was verified. */
  get room(): number | undefined {
    return this.#nid
  }

  async take(pdus: readonly Pdu[]): Promise<void> {
    await this.#look(pdus.flatMap((pdu) => this.#restsOn(pdu)))
    const open: (Pdu | Waiting)[] = [...pdus]
    for (const pdu of pdus.filter(isCreate)) {
      if (this.#options.admit) this.#nid = await this.#options.admit(pdu)
      this.#free(CREATE, open)
    }
    for (let at = 0; at < open.length; ) {
      const unit: Pdu[] = []
      const last = Math.min(open.length, at + MAX_EXAMINED)
      for (; at < last && unit.length < UNIT; at++) {
        const pdu = this.#ready(open[at] as Pdu | Waiting)
        if (pdu) unit.push(pdu)
      }
      if (unit.length > 0) await this.#begin(unit)
      else await nextTurn()
      // Stored events release the events that waited for them: units run in the order in which they start.
      for (const { id } of unit) this.#free(id, open)
    }
  }

  /**
   * Fetches the missing auth events, and `wanted`, where they are few; events that still lack auth events are dropped.
   * Call it after the last event: on return all is on disk.
   */
  async end(source: Source, wanted: readonly EventId[]): Promise<void> {
    await Promise.all(this.#underWay)
    await this.#look(wanted)
    const missing = [...this.#waiting.keys(), ...wanted].filter((id) => id !== CREATE && !this.#kept.has(id))
    const ids = [...new Set(missing)]
    if (ids.length > 0 && ids.length <= MAX_FETCHED) await this.take(await fetchEvents(this.#rt, source, ids))
    await Promise.all(this.#underWay)
    this.#waiting.clear()
  }

  #restsOn(pdu: Pdu): readonly EventId[] {
    if (isCreate(pdu)) return pdu.authEvents
    const { version, roomId } = this.#room
    return version.roomIds === 'hash of create event'
      ? [CREATE, createOfRoomId(roomId), ...pdu.authEvents]
      : [CREATE, ...pdu.authEvents]
  }

  /** Reads which of these events another caller stored. */
  async #look(ids: readonly EventId[]): Promise<void> {
    if (this.#nid !== undefined) this.#kept.add(CREATE)
    const unknown = new Set(ids.filter((id) => id !== CREATE && !this.#kept.has(id) && !this.#absent.has(id)))
    const found = await nidsOfEvents(this.#rt.db.read, [...unknown])
    for (const id of unknown) (found.has(id) ? this.#kept : this.#absent).add(id)
  }

  /** Returns the event where all its auth events are stored; else it waits for the first that is missing. */
  #ready(event: Pdu | Waiting): Pdu | undefined {
    const isPacked = 'bytes' in event
    const restsOn = isPacked ? event.restsOn : this.#restsOn(event)
    let next = isPacked ? event.next : 0
    while (next < restsOn.length && this.#kept.has(restsOn[next] as EventId)) next++
    const missing = restsOn[next]
    if (missing === undefined) return isPacked ? unpackPdu(event, this.#room.roomId, this.#room.version) : event
    const waiting = isPacked ? Object.assign(event, { next }) : { ...packPdu(event), restsOn, next }
    const list = this.#waiting.get(missing)
    if (list) list.push(waiting)
    else this.#waiting.set(missing, [waiting])
    return undefined
  }

  /** Records that an event is stored, and moves the events that waited for it to those to examine. */
  #free(id: EventId, open: (Pdu | Waiting)[]): void {
    this.#kept.add(id)
    for (const event of this.#waiting.get(id) ?? []) open.push(event)
    this.#waiting.delete(id)
  }

  /** Starts to store some events; a few units share one commit. */
  async #begin(unit: readonly Pdu[]): Promise<void> {
    const kept = this.#keep(unit)
    this.#underWay.add(kept)
    const over = () => this.#underWay.delete(kept)
    // The failure reaches the caller that awaits the unit.
    kept.then(over, () => {})
    if (this.#underWay.size >= MAX_IN_PROGRESS) await Promise.race(this.#underWay)
  }

  async #keep(pdus: readonly Pdu[]): Promise<void> {
    const room = this.#nid
    if (room === undefined) throw new Error('no event may be stored before the create event')
    await this.#rt.db.write(async (tx) => {
      await internKeysOf(tx, pdus)
      await keepOutliers(tx, room, this.#room.version, pdus)
    })
  }
}

/** The placeholder for the create event, on which all other events depend. */
const CREATE = '' as EventId

const isCreate = ({ type, stateKey }: Pdu) => type === 'm.room.create' && stateKey === ''
