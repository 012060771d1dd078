// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import type { ServerName } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Runtime } from '../../runtime/runtime.ts'
import { claimsOf, wantedBy } from './check-signatures.ts'
import { KeyRing, type KeyWanted, LONGEST_VALIDITY_MS } from './key-ring.ts'
import { addAskedKeys, addOwnKeys, addStoredKeys, serversOf } from './server-keys.ts'
import { SignaturePool } from './signature-workers.ts'

type Needs = Pick<Runtime, 'db' | 'remote' | 'clock' | 'config' | 'serverName' | 'signingKey' | 'otherKeys' | 'log'>

/** Packing a claim takes some 40 us. */
const SLICE = 100

/**
 * Checks the signatures of events that come in groups, on all cores. Each server's keys are asked for once however many
 * groups need them, and who has to wait for keys is told apart from who has not.
 */
export class ArrivingSignatures {
  readonly #rt: Needs
  readonly #version: RoomVersion
  readonly #ring = new KeyRing()
  readonly #pool = new SignaturePool()
  readonly #read = new Set<ServerName>()
  /** Until when the keys that were asked for should have been valid, by server and key. */
  readonly #asked = new Map<string, number>()

  constructor(rt: Needs, version: RoomVersion) {
    this.#rt = rt
    this.#version = version
    addOwnKeys(this.#ring, rt)
    this.#read.add(rt.serverName)
  }

  /** So many groups are checked at once. */
  get size(): number {
    return this.#pool.size
  }

  /** The keys these events want that we do not know and did not ask for yet; none where they can be checked now. */
  async unknownKeys(events: readonly Pdu[]): Promise<KeyWanted[]> {
    const latest = this.#rt.clock.now() + LONGEST_VALIDITY_MS
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

  /** Asks for keys; who does not say them now is not asked again. */
  async ask(wanted: readonly KeyWanted[]): Promise<void> {
    const unknown = wanted.filter((key) => this.#isUnknown(key))
    await addAskedKeys(this.#rt, this.#ring, unknown)
    for (const key of unknown) {
      this.#asked.set(nameOf(key), Math.max(key.validAt, this.#asked.get(nameOf(key)) ?? 0))
    }
  }

  /** Those of these events on which every required signature is there and verifies with the keys we have by now. */
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
