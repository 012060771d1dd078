// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { pdusByNid } from '@myelin/storage/rooms/events/events'
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import { keyNid } from '@myelin/storage/engine/names'
import { statesAt } from '@myelin/storage/rooms/state/state'

// By the event and not by the state: everybody who comes makes a new state, in which all others stand as before.
const shelf = new DatabaseCache<string>('stateWords', 50_000)

/** A kind of state event of which one word is asked. */
export interface WordKind {
  readonly type: string
  readonly stateKey: string
  /** Which member of the content it is. */
  readonly member: 'membership' | 'history_visibility'
}

/** One word of the room as it was in each of these states, by the state's root; where it was not said, the state is left out. */
export async function stateWords(
  db: Read,
  { type, stateKey, member }: WordKind,
  roots: Iterable<number>,
): Promise<Map<number, string>> {
  const words = new Map<number, string>()
  const key = await keyNid(db, type, stateKey)
  if (key === undefined) return words
  let [last, word]: [number | undefined, string | undefined] = [undefined, undefined]
  for (const [root, event] of await statesAt(db, roots, key)) {
    // States in a row mostly share the event.
    if (event !== last) word = await wordOf(db, event, member)
    last = event
    if (word !== undefined) words.set(root, word)
  }
  return words
}

async function wordOf(db: Read, event: number, member: string): Promise<string | undefined> {
  const cache = shelf.of(db)
  const name = String(event)
  const known = cache.get(name)
  if (known !== undefined) return known
  const pdu = (await pdusByNid(db, [event])).get(event)
  const word = pdu && stringMember(pdu.content, member)
  // What a unit made may be taken back.
  if (word !== undefined && db.topicPositions.position !== undefined) cache.set(name, word)
  return word
}
