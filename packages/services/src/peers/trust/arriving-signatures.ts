// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import type { ServerName } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Runtime } from '../../runtime/runtime.ts'
import { claimsOf, wantedBy } from './check-signatures.ts'
import { KeyRing, type KeyWanted, MAX_VALIDITY_MS } from './key-ring.ts'
import { addAskedKeys, addOwnKeys, addStoredKeys, serversOf } from './server-keys.ts'
import { SignaturePool } from './signature-workers.ts'

type Needs = Pick<Runtime, 'db' | 'remote' | 'clock' | 'config' | 'serverName' | 'signingKey' | 'otherKeys' | 'log'>

/** Number of claims packed before yielding; packing one takes about 40 us. */
const SLICE = 100

/**
 * Checks the signatures of events that arrive in groups, on all cores. The keys of each server are fetched once,
 * however many groups need them, and groups with known keys do not wait for others.
 */
export class ArrivingSignatures {
  readonly #rt: Needs
  readonly #version: RoomVersion
  readonly #ring = new KeyRing()
  readonly #pool = new SignaturePool()
  readonly #read = new Set<ServerName>()
  /** The latest time for which keys were fetched, by server and key. */
  readonly #asked = new Map<string, number>()

  constructor(rt: Needs, version: RoomVersion) {
    this.#rt = rt
    this.#version = version
    addOwnKeys(this.#ring, rt)
    this.#read.add(rt.serverName)
  }

  /** Returns the number of groups checked at once. */
  get size(): number {
    return this.#pool.size
  }

  /** Returns the keys of these events that are unknown and not fetched yet; none where they can be checked now. */
  async unknownKeys(events: readonly Pdu[]): Promise<KeyWanted[]> {
    const latest = this.#rt.clock.now() + MAX_VALIDITY_MS
    const wanted = await wantedBy(events, this.#version, latest)
    const unread = serversOf(wanted).filter((server) => !this.#read.has(server))
    await addStoredKeys(this.#rt, this.#ring, unread)
    for (const server of unread) this.#read.add(server)
    return wanted.filter((key) => this.#isUnknown(key))
  }

  #isUnknown(key: KeyWanted): boolean {
    if (key.server === this.#rt.serverName || this.#ring.isSettled(key)) return false
    return (this.#asked.get(nameOf(key)) ?? -1) < key.validAt
  }

  /** Fetches keys; a server that does not send them is not tried again. */
  async ask(wanted: readonly KeyWanted[]): Promise<void> {
    const unknown = wanted.filter((key) => this.#isUnknown(key))
    await addAskedKeys(this.#rt, this.#ring, unknown)
    for (const key of unknown) {
      this.#asked.set(nameOf(key), Math.max(key.validAt, this.#asked.get(nameOf(key)) ?? 0))
    }
  }

  /** Returns the events whose required signatures are all present and valid with the known keys. */
  async check(events: readonly Pdu[]): Promise<Pdu[]> {
    const claims = []
    for (const claim of claimsOf(events, this.#version, this.#ring)) {
      if (claims.push(claim) % SLICE === 0) await nextTurn()
    }
    const results = await this.#pool.check(claims)
    return events.filter((_, at) => results[at])
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}

const nameOf = ({ server, keyId }: KeyWanted) => `${server} ${keyId}`
