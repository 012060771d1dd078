// SPDX-License-Identifier: Apache-2.0
import type { Clock, Timer } from '@myelin/kit/clock'
import type { EventId, ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { MAX_ROOM_BYTES } from '@myelin/remote/federation'
import { ArrivingEvents } from './arriving-events.ts'
import type { EventTaker } from './arriving-events.ts'
import type { Checker, RoomContext } from './check-incoming.ts'

/** So long we wait for the next part of an answer: the other server may have to collect a whole room first. */
const PATIENCE_MS = 120_000
/** And so long altogether, our own work included. */
const TIMEOUT_MS = 1_800_000

/** What a server is asked that answers with lists of events. */
export interface LongQuestion {
  readonly server: ServerName
  readonly method: 'GET' | 'PUT'
  readonly target: string
  readonly body?: JsonObject
  /** The lists of events. */
  readonly lists: readonly string[]
}

/** What was answered: the rest of it, and the ids of the events by list, whatever became of them. */
export interface LongAnswer {
  readonly rest: JsonObject
  readonly ids: ReadonlyMap<string, readonly EventId[]>
}

/**
 * Asks another server and hands on the events it answers, each checked by itself, while its answer arrives; a
 * `RemoteError` where it does not answer as it should, which may show when most of it was taken.
 */
export async function takeAnswer(
  rt: Checker,
  room: RoomContext,
  { server, lists, ...call }: LongQuestion,
  taker: EventTaker,
): Promise<LongAnswer> {
  const events = new ArrivingEvents(rt, room, taker)
  const patience = new Patience(rt.clock)
  const ids = new Map<string, EventId[]>(lists.map((list) => [list, []]))
  const take = async (list: string, texts: readonly string[]) => {
    patience.pause()
    const told = ids.get(list) ?? []
    for (const id of await events.add(texts)) told.push(id)
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

/** Ends a request whose answer does not go on; the time we take ourselves does not count. */
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
