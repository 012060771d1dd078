// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/database'
import { pdusByNid } from '@myelin/storage/events'
import { Shelf } from '@myelin/storage/kept'
import { keyNid } from '@myelin/storage/names'
import { stateAt } from '@myelin/storage/state'

// By the event and not by the state: everybody who comes makes a new state, in which all others stand as before.
const shelf = new Shelf<string>('stateWords', 50_000)

/** The one word of a kind of state event that many states are asked for, one after the other. */
export interface WordKind {
  readonly type: string
  readonly stateKey: string
  /** Which member of the content it is. */
  readonly member: 'membership' | 'history_visibility'
}

/** Reads one word out of state after state. States in a row mostly share the event it is in, and events in a row their state. */
export class StateWord {
  readonly #db: Read
  readonly #key: number | undefined
  readonly #member: string
  #root = -1
  #event: number | undefined
  #word: string | undefined

  private constructor(db: Read, key: number | undefined, member: string) {
    this.#db = db
    this.#key = key
    this.#member = member
  }

  /** A reader of such words; there are none where no room ever had such a state event. */
  static async of(db: Read, { type, stateKey, member }: WordKind): Promise<StateWord> {
    return new StateWord(db, await keyNid(db, type, stateKey), member)
  }

  /** The word in the state with this root; undefined where there is no such event, or no such text in it. */
  async at(root: number): Promise<string | undefined> {
    if (root === this.#root || this.#key === undefined) return this.#word
    const event = await stateAt(this.#db, root, this.#key)
    if (event !== this.#event) this.#word = event === undefined ? undefined : await this.#wordOf(event)
    this.#event = event
    this.#root = root
    return this.#word
  }

  async #wordOf(event: number): Promise<string | undefined> {
    const cache = shelf.of(this.#db)
    const name = String(event)
    const known = cache.get(name)
    if (known !== undefined) return known
    const pdu = (await pdusByNid(this.#db, [event])).get(event)
    const word = pdu && stringMember(pdu.content, this.#member)
    // What a unit made may be taken back.
    if (word !== undefined && this.#db.moves.position !== undefined) cache.set(name, word)
    return word
  }
}
