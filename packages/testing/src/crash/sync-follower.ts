// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { markerOf, seenEvent } from './seen-event.ts'
import type { Resumption, SeenEvent, Stream } from './record/observation.ts'
import type { JsonObject } from '@myelin/matrix/json'
import type { MatrixClient } from '../clients/matrix-client.ts'
import { readUntilAnswered } from './retry-request.ts'

const PATIENCE_MS = 60_000

interface SyncBody {
  readonly next_batch: string
  readonly to_device?: { readonly events: readonly JsonObject[] }
  readonly rooms?: {
    readonly join?: Readonly<
      Record<string, { readonly timeline: { events: JsonObject[]; limited?: boolean; prev_batch?: string } }>
    >
  }
}

/** The format of a follower's events (client or federation), and the timeline limit. */
export interface SyncFollowerOptions {
  readonly limit: number
  readonly format: 'client' | 'federation'
}

/** A member who follows `next_batch` from before the first kill to the end, and keeps all events. */
export class SyncFollower {
  readonly client: MatrixClient
  readonly rooms = new Map<string, SeenEvent[]>()
  /** Events as they came, where they came in the federation format. */
  readonly pdus = new Map<string, JsonObject[]>()
  readonly toDevice: string[] = []
  readonly #connection: MatrixClient
  readonly #filter: string
  readonly #keepsPdus: boolean
  readonly #seen = new Map<string, Set<string>>()
  /** Tokens with how many events of each room had come with them and before. */
  readonly #tokens: { readonly token: string; readonly had: ReadonlyMap<string, number> }[] = []
  #since = ''
  #isStopping = false
  #answeredMs = 0

  constructor(client: MatrixClient, { limit, format }: SyncFollowerOptions) {
    this.client = client
    this.#connection = client.again()
    this.#keepsPdus = format === 'federation'
    const filter = { event_format: format, room: { timeline: { limit } }, presence: { types: [] } }
    this.#filter = encodeURIComponent(JSON.stringify(filter))
  }

  /** The first sync. */
  async begin(): Promise<void> {
    await this.#step('')
  }

  /** Follows until {@link stop}, and then until nothing more comes. */
  async follow(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      const timeout = this.#isStopping ? 0 : 20_000
      try {
        const count = await this.#step(`&since=${this.#since}&timeout=${timeout}`)
        this.#answeredMs = performance.now()
        quiet = this.#isStopping && count === 0 ? quiet + 1 : 0
      } catch (cause) {
        // Between two kills a slow machine may have no time for an answer, so the limit counts from the last kill.
        if (this.#isStopping && performance.now() - this.#answeredMs > PATIENCE_MS) throw cause
        await delay(20)
      }
    }
    this.#connection.close()
  }

  stop(): void {
    this.#isStopping = true
    this.#answeredMs = performance.now()
    this.#connection.close()
  }

  get streams(): Stream[] {
    return [...this.rooms].map(([roomId, events]) => ({ user: this.client.userId, roomId, events }))
  }

  /** Uses the first token again, and one from the middle. */
  async resume(): Promise<Resumption[]> {
    const found: Resumption[] = []
    for (const old of new Set([this.#tokens[0], this.#tokens[this.#tokens.length >> 1]])) {
      if (!old) continue
      const body = await readUntilAnswered<SyncBody>(this.client, this.#path(`&since=${old.token}&timeout=0`))
      const joined = body.rooms?.join ?? {}
      for (const [roomId, had] of old.had) {
        const known = new Set((this.rooms.get(roomId) ?? []).slice(0, had).map(({ id }) => id))
        const timeline = joined[roomId]?.timeline
        const events = timeline ? await this.#whole(this.client, roomId, timeline, known) : []
        found.push({ user: this.client.userId, roomId, had, events: events.map(seenEvent) })
      }
    }
    return found
  }

  async #step(query: string): Promise<number> {
    const { status, body: text } = await this.#connection.send('GET', this.#path(query))
    if (status !== 200) throw new Error(`/sync: ${status} ${text.slice(0, 200)}`)
    const body = JSON.parse(text) as SyncBody
    let count = 0
    for (const [roomId, { timeline }] of Object.entries(body.rooms?.join ?? {})) {
      const seen = this.#seen.get(roomId) ?? new Set<string>()
      this.#seen.set(roomId, seen)
      const events = query === '' ? timeline.events : await this.#whole(this.client.again(), roomId, timeline, seen)
      const seenEvents = events.map(seenEvent)
      listIn(this.rooms, roomId).push(...seenEvents)
      if (this.#keepsPdus) listIn(this.pdus, roomId).push(...events)
      for (const { id } of seenEvents) seen.add(id)
      count += timeline.events.length
    }
    const messages = body.to_device?.events ?? []
    this.toDevice.push(...messages.map((message) => markerOf(message) ?? ''))
    this.#since = body.next_batch
    this.#tokens.push({
      token: body.next_batch,
      had: new Map([...this.rooms].map(([roomId, events]) => [roomId, events.length])),
    })
    return count + messages.length
  }

  /** Returns a timeline completed through `/messages`, back to the last known event. */
  async #whole(
    reader: MatrixClient,
    roomId: string,
    timeline: { events: JsonObject[]; limited?: boolean; prev_batch?: string },
    known: ReadonlySet<string>,
  ): Promise<JsonObject[]> {
    const gap: JsonObject[] = []
    let from = timeline.limited ? timeline.prev_batch : undefined
    walk: while (from !== undefined) {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=100&from=${from}`
      const page: { chunk: JsonObject[]; end?: string } = await readUntilAnswered(reader, path)
      for (const event of page.chunk) {
        if (known.has(seenEvent(event).id)) break walk
        gap.push(event)
      }
      from = page.end
    }
    if (reader !== this.client) reader.close()
    return [...gap.reverse(), ...timeline.events]
  }

  #path(query: string): string {
    return `/_matrix/client/v3/sync?filter=${this.#filter}${query}`
  }
}

function listIn<T>(lists: Map<string, T[]>, name: string): T[] {
  const list = lists.get(name) ?? []
  lists.set(name, list)
  return list
}
