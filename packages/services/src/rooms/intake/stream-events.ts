// SPDX-License-Identifier: Apache-2.0
import type { Clock, Timer } from '@myelin/kit/clock'
import type { EventId, ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { MAX_ROOM_BYTES } from '@myelin/remote/federation'
import { ArrivingEvents } from './arriving-events.ts'
import type { EventSink } from './arriving-events.ts'
import type { Checker } from './check-incoming.ts'
import type { RoomContext } from '../../room-state/room-context.ts'

/** The longest wait for the next part of an answer: the other server may have to collect a whole room first. */
const PATIENCE_MS = 120_000
/** The longest duration of the whole request, local work included. */
const TIMEOUT_MS = 1_800_000

/** A request whose answer has lists of events. */
export interface StreamedRequest {
  readonly server: ServerName
  readonly method: 'GET' | 'PUT'
  readonly target: string
  readonly body?: JsonObject
  /** The members of the answer that are lists of events. */
  readonly lists: readonly string[]
}

/** The other members of the answer, and the event IDs of each list, with any outcome. */
export interface StreamedAnswer {
  readonly rest: JsonObject
  readonly ids: ReadonlyMap<string, readonly EventId[]>
}

/**
 * Sends a request and delivers the events of the answer, each checked by itself, while the answer streams in. Throws a
 * `RemoteError` where the answer is malformed, possibly after most events were delivered.
 */
export async function streamEvents(
  rt: Checker,
  room: RoomContext,
  { server, lists, ...call }: StreamedRequest,
  taker: EventSink,
): Promise<StreamedAnswer> {
  const events = new ArrivingEvents(rt, room, taker)
  const patience = new Patience(rt.clock)
  const ids = new Map<string, EventId[]>(lists.map((list) => [list, []]))
  const take = async (list: string, texts: readonly string[]) => {
    patience.pause()
    const added = ids.get(list) ?? []
    for (const id of await events.add(texts)) added.push(id)
    patience.wait()
  }
  try {
    const limits = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_ROOM_BYTES, signal: patience.signal }
    const rest = await rt.remote.callInParts(server, { ...call, ...limits, keepNumbers: true }, { names: lists, take })
    patience.pause()
    await events.end()
    return { rest, ids }
  } finally {
    patience.pause()
    await events.close()
  }
}

/** Aborts a request whose answer stalls; the time of local work does not count. */
class Patience {
  readonly #clock: Clock
  readonly #controller = new AbortController()
  #timer: Timer

  constructor(clock: Clock) {
    this.#clock = clock
    this.#timer = this.#begun()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  pause(): void {
    this.#timer.cancel()
  }

  wait(): void {
    this.#timer.cancel()
    this.#timer = this.#begun()
  }

  #begun(): Timer {
    return this.#clock.later(PATIENCE_MS, () => this.#controller.abort())
  }
}
