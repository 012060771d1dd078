// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId } from '@myelin/matrix/ids'
import type { Json } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import type { Pdu } from '@myelin/matrix/pdu'
import { ArrivingSignatures } from '../../peers/trust/arriving-signatures.ts'
import type { KeyWanted } from '../../peers/trust/key-ring.ts'
import { asHashed, parseIncoming } from './check-incoming.ts'
import type { Checker } from './check-incoming.ts'
import type { RoomContext } from '../../room-state/room-context.ts'
import { packPdu, unpackPdu } from './packed-pdu.ts'
import type { PackedPdu } from './packed-pdu.ts'

/** Number of events checked together. */
const GROUP = 200
/** Number of events hashed before yielding; hashing one takes about 20 us. */
const SLICE = 64
/** The most bytes of events that wait for signing keys while more arrive; above it, reading the answer pauses. */
const MAX_ASIDE_BYTES = 64 * 1024 * 1024

/** Receives the events whose checks passed. */
export interface EventSink {
  /** Returns whether an event is wanted, by its ID. */
  wants(id: EventId): boolean
  /**
   * Receives events whose signatures are all valid, redacted where their content hash does not match. Called for one
   * group at a time.
   */
  take(pdus: readonly Pdu[]): Promise<void>
}

/**
 * Checks the events of an answer while it streams in, each by itself, in groups on all cores; events that fail are
 * dropped.
 *
 * Events of a server whose keys are not known yet are set aside while the keys are fetched. An unreachable server is
 * therefore waited for once, not once per group.
 */
export class ArrivingEvents {
  readonly #room: RoomContext
  readonly #taker: EventSink
  readonly #signatures: ArrivingSignatures
  readonly #seen = new Set<EventId>()
  readonly #underWay = new Set<Promise<void>>()
  #fresh: Pdu[] = []
  #aside: PackedPdu[] = []
  #asideBytes = 0
  #asked: KeyWanted[] = []
  #asking: Promise<void> | undefined
  #taking: Promise<void> = Promise.resolve()
  #failure: { readonly cause: unknown } | undefined

  constructor(rt: Checker, room: RoomContext, taker: EventSink) {
    this.#room = room
    this.#taker = taker
    this.#signatures = new ArrivingSignatures(rt, room.version)
  }

  /**
   * Adds events as JSON texts and returns the IDs of all well-formed ones, wanted or not. Waits while more is in
   * progress than all cores can check. Throws `M_NOT_JSON` where a text is not JSON.
   */
  async add(texts: readonly string[]): Promise<EventId[]> {
    await nextTurn()
    const ids: EventId[] = []
    for (const text of texts) {
      const result = parseIncoming(jsonOf(text), this.#room, { isBackfill: true })
      if (!('pdu' in result)) continue
      const { pdu } = result
      ids.push(pdu.id)
      if (this.#seen.has(pdu.id) || !this.#taker.wants(pdu.id)) continue
      this.#seen.add(pdu.id)
      this.#fresh.push(pdu)
    }
    if (this.#fresh.length >= GROUP) await this.#begin()
    return ids
  }

  /** Resolves when every added event was delivered or dropped. */
  async end(): Promise<void> {
    if (this.#fresh.length > 0) await this.#begin()
    while (this.#underWay.size > 0 || this.#asking) await Promise.all([...this.#underWay, this.#asking])
    this.#throwFailure()
  }

  /** Ends the threads; events in progress are dropped. */
  async close(): Promise<void> {
    this.#failure ??= { cause: new Error('the event checks are closed') }
    await this.#signatures.close()
    await Promise.all([...this.#underWay, this.#asking])
  }

  async #begin(): Promise<void> {
    const group = this.#fresh
    this.#fresh = []
    this.#run(this.#sort(group))
    while (this.#underWay.size > this.#signatures.size) await Promise.race(this.#underWay)
    if (this.#asideBytes > MAX_ASIDE_BYTES) await this.#asking
    this.#throwFailure()
  }

  #run(work: Promise<void>): void {
    const kept = work.catch((cause: unknown) => void (this.#failure ??= { cause }))
    this.#underWay.add(kept)
    void kept.then(() => this.#underWay.delete(kept))
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.cause
  }

  /** Checks the events whose keys are known, and sets the others aside. */
  async #sort(group: readonly Pdu[]): Promise<void> {
    const unknown = await this.#signatures.unknownKeys(group)
    if (unknown.length === 0) return this.#check(group)
    const servers = new Set(unknown.map(({ server }) => server))
    const waits = (pdu: Pdu) => Object.keys(pdu.json['signatures'] ?? {}).some((name) => servers.has(name as never))
    for (const pdu of group.filter(waits)) {
      const packed = packPdu(pdu)
      this.#aside.push(packed)
      this.#asideBytes += packed.bytes.length
    }
    this.#asked.push(...unknown)
    this.#ask()
    return this.#check(group.filter((pdu) => !waits(pdu)))
  }

  #ask(): void {
    this.#asking ??= this.#askForKeys()
      .catch((cause: unknown) => void (this.#failure ??= { cause }))
      .finally(() => {
        this.#asking = undefined
        // Events may have been set aside after the last round ended.
        if (this.#aside.length > 0 && !this.#failure) this.#ask()
      })
  }

  /** Fetches keys in rounds, each for all events set aside in the meantime. */
  async #askForKeys(): Promise<void> {
    while (this.#aside.length > 0 && !this.#failure) {
      const [packed, wanted] = [this.#aside, this.#asked]
      this.#aside = []
      this.#asked = []
      this.#asideBytes = 0
      await this.#signatures.ask(latestOf(wanted))
      for (let at = 0; at < packed.length && !this.#failure; at += GROUP) {
        const { roomId, version } = this.#room
        await this.#check(packed.slice(at, at + GROUP).map((each) => unpackPdu(each, roomId, version)))
      }
    }
  }

  async #check(group: readonly Pdu[]): Promise<void> {
    const good: Pdu[] = []
    for (const pdu of group.length > 0 ? await this.#signatures.check(group) : []) {
      if (good.push(asHashed(pdu, this.#room.version)) % SLICE === 0) await nextTurn()
    }
    const before = this.#taking
    const taken = before.then(() => (good.length > 0 && !this.#failure ? this.#taker.take(good) : undefined))
    this.#taking = taken.catch(() => {})
    return taken
  }
}

/** Parses the text of an event; undefined for JSON that no event may be. */
function jsonOf(text: string): Json | undefined {
  try {
    return parseJson(text, { keepNumbers: true })
  } catch (cause) {
    if (cause instanceof MatrixError && cause.code === 'M_BAD_JSON') return undefined
    throw cause
  }
}

/** Returns each key once, at the latest time at which an event needs it. */
function latestOf(wanted: readonly KeyWanted[]): KeyWanted[] {
  const latest = new Map<string, KeyWanted>()
  for (const key of wanted) {
    const name = `${key.server} ${key.keyId}`
    if (key.validAt >= (latest.get(name)?.validAt ?? 0)) latest.set(name, key)
  }
  return [...latest.values()]
}
