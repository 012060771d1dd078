// SPDX-License-Identifier: Apache-2.0
import { inSteps } from '@myelin/kit/turn'
import { MatrixError } from '@myelin/matrix/errors'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { parseLongJson } from '@myelin/matrix/parse-long-json'
import { JsonSplitter } from '@myelin/matrix/split-json'
import type { JsonPart } from '@myelin/matrix/split-json'
import { RemoteError } from './remote-error.ts'
import type { IncomingReply } from './transport.ts'

/** The lists of an answer that may be long, and the consumer of their elements. */
export interface LongLists {
  readonly names: readonly string[]
  /**
   * Receives some elements of a list, each the text of a JSON value that is not parsed yet. Reading pauses until it is
   * done. It throws a `MatrixError` where a text is not JSON; any failure ends the reading.
   */
  take(list: string, texts: readonly string[]): Promise<void>
}

/** The largest element: an event has at most 64 KiB, and escapes may take six times as much. */
const MAX_ELEMENT_BYTES = 512 * 1024
const MAX_REST_BYTES = 8 * 1024 * 1024
/** Number of characters delivered at a time: some milliseconds to parse. */
const PARCEL = 64 * 1024
/** Number of elements delivered at a time: hashing one takes longer than reading it. */
const MAX_ELEMENTS = 100

/** Reads an answer of at most `maxBytes`, delivers its long lists, and returns the rest. */
export async function readInParts(reply: IncomingReply, maxBytes: number, lists: LongLists): Promise<JsonObject> {
  const limits = { lists: new Set(lists.names), maxElementBytes: MAX_ELEMENT_BYTES, maxRestBytes: MAX_REST_BYTES }
  const splitter = new JsonSplitter(limits)
  const parcels = new Parcels(lists)
  // Member names are chosen by the other server, so there is no prototype.
  const answer = Object.create(null) as Record<string, Json>
  let size = 0
  try {
    for await (const chunk of reply.body) {
      size += chunk.length
      if (size > maxBytes) throw new RemoteError('malformed', `an answer was longer than ${maxBytes} bytes`)
      for (const part of splitter.push(chunk)) {
        if (part.isElement) await parcels.add(part)
        else answer[part.key] = await inSteps(parseLongJson(part.text, { keepNumbers: true }))
      }
    }
    await parcels.hand()
    for (const key of splitter.end()) if (!(key in answer)) answer[key] = []
  } catch (cause) {
    if (!(cause instanceof MatrixError)) throw cause
    throw new RemoteError('malformed', 'the answer is not valid JSON', { cause })
  }
  return answer
}

/** Collects elements of one list that are delivered together. */
class Parcels {
  readonly #lists: LongLists
  #list = ''
  #texts: string[] = []
  #length = 0

  constructor(lists: LongLists) {
    this.#lists = lists
  }

  async add({ key, text }: JsonPart): Promise<void> {
    if (key !== this.#list) await this.hand()
    this.#list = key
    this.#texts.push(text)
    this.#length += text.length
    if (this.#length >= PARCEL || this.#texts.length === MAX_ELEMENTS) await this.hand()
  }

  async hand(): Promise<void> {
    const texts = this.#texts
    this.#texts = []
    this.#length = 0
    if (texts.length > 0) await this.#lists.take(this.#list, texts)
  }
}
