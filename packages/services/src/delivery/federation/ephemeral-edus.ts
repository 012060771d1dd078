// SPDX-License-Identifier: Apache-2.0
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Receipt } from '@myelin/storage/sync/receipts'
import type { PresencePush } from './outgoing-presence.ts'
import type { TypingEdu } from './outgoing-typing.ts'

const MAX_TYPING = 100
/** The most users in one presence EDU. */
const MAX_PRESENCE = 50
const MAX_RECEIPTS = 1_000

/**
 * Holds the EDUs for one server that may be lost: the newest of each kind, up to a limit.
 *
 * Typing and presence are dropped rather than late; receipts wait.
 */
export class EphemeralEdus {
  readonly #typing = new Map<string, TypingEdu>()
  readonly #presence = new Map<string, PresencePush>()
  readonly #receipts = new Map<string, Receipt>()
  #taken: readonly Receipt[] = []

  get isEmpty(): boolean {
    return this.#typing.size === 0 && this.#presence.size === 0 && this.#receipts.size === 0
  }

  putTyping(typing: TypingEdu): void {
    putNewest(this.#typing, `${typing.roomId} ${typing.userId}`, typing, MAX_TYPING)
  }

  putPresence(pushes: readonly PresencePush[]): void {
    for (const push of pushes) putNewest(this.#presence, push.user_id, push, MAX_PRESENCE)
  }

  putReceipt(receipt: Receipt): void {
    putNewest(this.#receipts, `${receipt.roomId} ${receipt.userId} ${receipt.threadId}`, receipt, MAX_RECEIPTS)
  }

  /** Drops the EDUs that are worthless when late. */
  dropFleeting(): void {
    this.#typing.clear()
    this.#presence.clear()
  }

  /** Puts receipts of a failed transaction back, unless there are newer ones. */
  giveBack(): void {
    const newer = [...this.#receipts.values()]
    for (const receipt of [...this.#taken, ...newer]) this.putReceipt(receipt)
    this.#taken = []
  }

  /** Removes and returns at most `most` EDUs. */
  take(most: number): JsonObject[] {
    this.#taken = []
    const edus: JsonObject[] = []
    for (const [key, typing] of this.#typing) {
      if (edus.length >= most) return edus
      this.#typing.delete(key)
      edus.push(typingEdu(typing))
    }
    if (this.#presence.size > 0 && edus.length < most) {
      edus.push({ edu_type: 'm.presence', content: { push: [...this.#presence.values()] } })
      this.#presence.clear()
    }
    const read = receiptEdus([...this.#receipts.values()])
    const now = read.splice(0, most - edus.length)
    this.#taken = now.flatMap(({ receipts }) => receipts)
    this.#receipts.clear()
    for (const { receipts } of read) for (const receipt of receipts) this.putReceipt(receipt)
    return [...edus, ...now.map(({ edu }) => edu)]
  }
}

function putNewest<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}

function typingEdu({ roomId, userId, isTyping }: TypingEdu): JsonObject {
  return { edu_type: 'm.typing', content: { room_id: roomId, user_id: userId, typing: isTyping } }
}

/**
 * Returns receipt EDUs: one has room for a single receipt of a user in a room, so those of further threads go into the
 * next.
 */
function receiptEdus(receipts: readonly Receipt[]): { readonly edu: JsonObject; readonly receipts: Receipt[] }[] {
  const layers: Map<string, Map<string, Receipt>>[] = []
  for (const receipt of receipts) {
    const { roomId, userId } = receipt
    let layer = layers.find((one) => !one.get(roomId)?.has(userId))
    if (!layer) layers.push((layer = new Map()))
    layer.set(roomId, (layer.get(roomId) ?? new Map<string, Receipt>()).set(userId, receipt))
  }
  return layers.map((layer) => ({
    edu: { edu_type: 'm.receipt', content: contentOf(layer) },
    receipts: [...layer.values()].flatMap((users) => [...users.values()]),
  }))
}

function contentOf(layer: ReadonlyMap<string, ReadonlyMap<string, Receipt>>): JsonObject {
  const rooms = [...layer].map(([roomId, users]): [string, Json] => {
    const read = [...users].map(([userId, receipt]): [string, Json] => [userId, receiptOf(receipt)])
    return [roomId, { 'm.read': Object.fromEntries(read) }]
  })
  return Object.fromEntries(rooms)
}

function receiptOf({ ts, threadId, eventId }: Receipt): JsonObject {
  return { event_ids: [eventId], data: threadId === '' ? { ts } : { ts, thread_id: threadId } }
}
