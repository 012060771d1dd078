// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import type { TestServer } from '../server.ts'

/** An event as a client gets it. */
export interface ClientEvent {
  readonly type: string
  readonly event_id: string
  readonly sender: string
  readonly state_key?: string
  readonly content: unknown
}

type RoomAnswer = {
  readonly timeline: { readonly events: readonly ClientEvent[]; readonly limited: boolean; readonly prev_batch: string }
  readonly state?: { readonly events: readonly ClientEvent[] }
  readonly state_after?: { readonly events: readonly ClientEvent[] }
}
type SyncBody = {
  readonly next_batch: string
  readonly rooms: { readonly join: Record<string, RoomAnswer>; readonly leave: Record<string, RoomAnswer> }
  readonly 'org.matrix.msc4429.users'?: Readonly<Record<string, { readonly profile_updates: JsonObject | null }>>
}
type Room = { isJoined: boolean; readonly state: Map<string, string>; timeline: ClientEvent[] }

/** The parameters of a client's syncs; `timeline` are further members of its timeline filter. */
export interface SyncedClientOptions {
  readonly limit: number
  readonly stateAfter: boolean
  readonly timeline?: JsonObject
  /** The fields of profiles that it asks for. */
  readonly profileFields?: readonly string[]
}

/** A client that processes `/sync` exactly as the spec prescribes, to check the server's responses. */
export class SyncedClient {
  readonly #server: TestServer
  readonly #token: string
  readonly #query: string
  readonly #rooms = new Map<string, Room>()
  readonly #profiles = new Map<string, Record<string, unknown>>()
  #since: string | undefined

  constructor(
    server: TestServer,
    token: string,
    { limit, stateAfter, timeline = {}, profileFields }: SyncedClientOptions,
  ) {
    this.#server = server
    this.#token = token
    const profiles =
      profileFields === undefined ? {} : { 'org.matrix.msc4429.profile_fields': { ids: [...profileFields] } }
    const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit, ...timeline } }, ...profiles }))
    this.#query = `filter=${filter}${stateAfter ? '&use_state_after=true' : ''}`
  }

  /** Asks once, and takes the answer in; returns whether it had profiles. */
  async sync(): Promise<boolean> {
    const since = this.#since === undefined ? '' : `&since=${this.#since}`
    const { status, body } = await this.#server.call('GET', `/_matrix/client/v3/sync?${this.#query}${since}`, {
      token: this.#token,
    })
    if (status !== 200) throw new Error(`sync: ${status} ${JSON.stringify(body)}`)
    const answer = body as unknown as SyncBody
    for (const [roomId, room] of Object.entries(answer.rooms.join)) await this.#take(roomId, room, true)
    for (const [roomId, room] of Object.entries(answer.rooms.leave)) await this.#take(roomId, room, false)
    this.#since = answer.next_batch
    const profiles = answer['org.matrix.msc4429.users']
    for (const [user, { profile_updates: updates }] of Object.entries(profiles ?? {})) {
      if (updates === null) this.#profiles.delete(user)
      else this.#profiles.set(user, { ...this.#profiles.get(user), ...updates })
    }
    return profiles !== undefined
  }

  /** Asks until an answer has no profiles. */
  async catchUp(): Promise<void> {
    while (await this.sync());
  }

  /** Returns the profiles that the client knows, by user, without deleted fields. */
  profiles(): Record<string, Record<string, unknown>> {
    const known = [...this.#profiles].map(([user, fields]) => {
      const kept = Object.entries(fields).filter(([, value]) => value !== null)
      return [user, Object.fromEntries(kept)] as const
    })
    return Object.fromEntries(known.filter(([, fields]) => Object.keys(fields).length > 0))
  }

  /** The room's state as the client has pieced it together: event ids by type and key, in order of their names. */
  stateOf(roomId: string): Record<string, string> {
    const state = this.#rooms.get(roomId)?.isJoined
      ? (this.#rooms.get(roomId)?.state ?? new Map<string, string>())
      : new Map<string, string>()
    return Object.fromEntries([...state].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Returns whether the client is joined to the room by its own record. */
  isJoined(roomId: string): boolean {
    return this.#rooms.get(roomId)?.isJoined ?? false
  }

  /** Returns all events of the room that the client has received, oldest first. */
  timelineOf(roomId: string): readonly ClientEvent[] {
    return this.#rooms.get(roomId)?.timeline ?? []
  }

  async #take(roomId: string, answer: RoomAnswer, isJoined: boolean): Promise<void> {
    const known = this.#rooms.get(roomId)
    const room: Room = known?.isJoined || !isJoined ? (known ?? emptyRoom()) : emptyRoom()
    this.#rooms.set(roomId, room)
    room.isJoined = isJoined
    const { events, limited: isLimited, prev_batch: before } = answer.timeline
    if (isLimited && room.timeline.length > 0) room.timeline.push(...(await this.#gap(roomId, before, room.timeline)))
    room.timeline.push(...events)
    for (const event of answer.state?.events ?? []) apply(room, event)
    // With `state_after` the timeline does not touch the state: everything is in there.
    if (answer.state_after) for (const event of answer.state_after.events) apply(room, event)
    else for (const event of events) apply(room, event)
  }

  async #gap(roomId: string, from: string, seen: readonly ClientEvent[]): Promise<ClientEvent[]> {
    const known = new Set(seen.map(({ event_id: id }) => id))
    const missing: ClientEvent[] = []
    for (let at: string | undefined = from; at !== undefined; ) {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=3&from=${at}`
      const { body } = await this.#server.call('GET', path, { token: this.#token })
      const page = body as unknown as { readonly chunk: readonly ClientEvent[]; readonly end?: string }
      for (const event of page.chunk) {
        if (known.has(event.event_id)) return missing.reverse()
        missing.push(event)
      }
      at = page.end
    }
    return missing.reverse()
  }
}

const emptyRoom = (): Room => ({ isJoined: false, state: new Map(), timeline: [] })

function apply(room: Room, event: ClientEvent): void {
  if (event.state_key !== undefined) room.state.set(`${event.type} ${event.state_key}`, event.event_id)
}
