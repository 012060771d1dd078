// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { createOfRoomId } from '@myelin/rules/events/event-id'
import { nidsOfEvents } from '@myelin/storage/rooms/events/auth-edges'
import { internKeysOf } from '@myelin/storage/rooms/events/outliers'
import type { EventTaker } from './arriving-events.ts'
import type { Checker, RoomContext } from './check-incoming.ts'
import { fetchEvents } from './fetch-events.ts'
import type { Source } from './fetch-events.ts'
import { keepOutliers } from './keep-outliers.ts'
import { packPdu, unpackPdu } from './packed-pdu.ts'
import type { PackedPdu } from './packed-pdu.ts'

/** So many events are kept in a unit: a few milliseconds. */
const UNIT = 25
const MOST_LOOKED_AT = 1000
const MOST_UNDER_WAY = 8
/** What nobody told is asked for once, if it is no more than this. */
const MAX_FETCHED = 40

/** What is kept, and in which room. */
export interface KeeperWish {
  /** The number of a room whose create event is kept. */
  readonly room?: number
  /** The number of any other, given when its create event has proved what it is; called for each that comes. */
  readonly admit?: (create: Pdu) => Promise<number>
  /** Nothing else is kept. */
  readonly wanted?: ReadonlySet<EventId>
}

/** An event that rests on something that is not there; up to `next` all is. */
type Waiting = PackedPdu & { readonly restsOn: readonly EventId[]; next: number }

/**
 * Keeps events without a place in the timeline, in whatever order they come, each after what it rests on and judged by
 * it; what rests on something that nobody tells is left out. Nothing is kept before the room's create event.
 */
export class OutlierKeeper implements EventTaker {
  readonly #rt: Checker
  readonly #room: RoomContext
  readonly #wish: KeeperWish
  readonly #kept = new Set<EventId>()
  readonly #absent = new Set<EventId>()
  /** Events by something that they rest on and that is not there. */
  readonly #waiting = new Map<EventId, Waiting[]>()
  readonly #underWay = new Set<Promise<void>>()
  #nid: number | undefined

  constructor(rt: Checker, room: RoomContext, wish: KeeperWish) {
    this.#rt = rt
    this.#room = room
    this.#nid = wish.room
    this.#wish = wish
  }

  wants(id: EventId): boolean {
    return this.#wish.wanted?.has(id) ?? true
  }

  /** The number of the room, once a create event has proved it to be what it was said to be. */
  get room(): number | undefined {
    return this.#nid
  }

  async take(pdus: readonly Pdu[]): Promise<void> {
    await this.#look(pdus.flatMap((pdu) => this.#restsOn(pdu)))
    const open: (Pdu | Waiting)[] = [...pdus]
    for (const pdu of pdus.filter(isCreate)) {
      if (this.#wish.admit) this.#nid = await this.#wish.admit(pdu)
      this.#free(CREATE, open)
    }
    for (let at = 0; at < open.length; ) {
      const unit: Pdu[] = []
      const last = Math.min(open.length, at + MOST_LOOKED_AT)
      for (; at < last && unit.length < UNIT; at++) {
        const pdu = this.#ready(open[at] as Pdu | Waiting)
        if (pdu) unit.push(pdu)
      }
      if (unit.length > 0) await this.#begin(unit)
      else await nextTurn()
      // What is kept frees what waited for it: units are done in the order in which they are begun.
      for (const { id } of unit) this.#free(id, open)
    }
  }

  /**
   * Asks for what is still waited for, and for these, where that is little; what still rests on nothing is forgotten.
   * Call it when all was taken: on return it is on disk.
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

  /** Learns which of these were kept by somebody else. */
  async #look(ids: readonly EventId[]): Promise<void> {
    if (this.#nid !== undefined) this.#kept.add(CREATE)
    const unknown = new Set(ids.filter((id) => id !== CREATE && !this.#kept.has(id) && !this.#absent.has(id)))
    const found = await nidsOfEvents(this.#rt.db.read, [...unknown])
    for (const id of unknown) (found.has(id) ? this.#kept : this.#absent).add(id)
  }

  /** The event, where all that it rests on is kept; else it waits for the first that is not. */
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

  /** Notes that an event is kept, and puts what waited for it with what is to be looked at. */
  #free(id: EventId, open: (Pdu | Waiting)[]): void {
    this.#kept.add(id)
    for (const event of this.#waiting.get(id) ?? []) open.push(event)
    this.#waiting.delete(id)
  }

  /** Begins to keep some; a few units share the sync of their commit. */
  async #begin(unit: readonly Pdu[]): Promise<void> {
    const kept = this.#keep(unit)
    this.#underWay.add(kept)
    const over = () => this.#underWay.delete(kept)
    // Whoever waits for it is told of a failure.
    kept.then(over, () => {})
    if (this.#underWay.size >= MOST_UNDER_WAY) await Promise.race(this.#underWay)
  }

  async #keep(pdus: readonly Pdu[]): Promise<void> {
    const room = this.#nid
    if (room === undefined) throw new Error('nothing is kept before the create event')
    await this.#rt.db.write(async (tx) => {
      await internKeysOf(tx, pdus)
      await keepOutliers(tx, room, this.#room.version, pdus)
    })
  }
}

/** Stands for the create event as what all others rest on. */
const CREATE = '' as EventId

const isCreate = ({ type, stateKey }: Pdu) => type === 'm.room.create' && stateKey === ''
