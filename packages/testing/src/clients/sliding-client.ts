// SPDX-License-Identifier: Apache-2.0
import type { Answer, TestServer } from '../server.ts'

/** The form of sliding sync that a client uses. */
export type SlidingDialect = 'msc3575' | 'v4'

/** An event as sliding sync has it; a stub of deleted state has type and state key only. */
interface SlidingEvent {
  readonly type: string
  readonly state_key?: string
  readonly event_id?: string
  readonly sender?: string
  readonly content?: Readonly<Record<string, unknown>>
}

/** A room's entry in an answer, in either dialect. */
export interface SlidingEntry {
  readonly initial?: boolean
  readonly name?: string | null
  readonly avatar?: string | null
  readonly is_dm?: boolean
  readonly heroes?: readonly { readonly user_id: string; readonly displayname?: string }[]
  readonly required_state?: readonly SlidingEvent[]
  readonly timeline?: readonly SlidingEvent[]
  readonly prev_batch?: string
  readonly limited?: boolean
  readonly num_live?: number
  readonly bump_stamp?: number
  readonly joined_count?: number
  readonly invited_count?: number
  readonly notification_count?: number
  readonly highlight_count?: number
  readonly unstable_expanded_timeline?: boolean
  readonly expanded_timeline?: boolean
  readonly invite_state?: readonly SlidingEvent[]
  readonly stripped_state?: readonly SlidingEvent[]
  readonly membership?: string
  readonly lists?: readonly string[]
}

/** An answer of sliding sync. */
export interface SlidingAnswer {
  readonly pos: string
  readonly lists?: Readonly<
    Record<string, { readonly count: number; readonly ops?: readonly { readonly room_ids: readonly string[] }[] }>
  >
  readonly rooms: Readonly<Record<string, SlidingEntry>>
  readonly extensions: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** A room as a client assembles it from its entries. */
export interface FollowedRoom {
  readonly state: Map<string, SlidingEvent>
  timeline: SlidingEvent[]
  name: string | undefined
  joinedCount: number | undefined
  invitedCount: number | undefined
  notifications: number
  highlights: number
  bumpStamp: number | undefined
  isOffer: boolean
}

/** The members of a request that a client chooses, as they are sent. */
export interface SlidingRequestBody {
  readonly lists?: Readonly<Record<string, unknown>>
  readonly room_subscriptions?: Readonly<Record<string, unknown>>
  readonly extensions?: Readonly<Record<string, unknown>>
}

type ProfileEntries = Readonly<
  Record<string, { readonly updated?: Readonly<Record<string, unknown>>; readonly removed?: readonly string[] } | null>
>

const PATHS = {
  msc3575: '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
  v4: '/_matrix/client/v4/sync',
}

/** A client that follows its rooms by sliding sync, as a good one does. */
export class SlidingClient {
  readonly #server: TestServer
  readonly #token: string
  readonly #dialect: SlidingDialect
  readonly #connId: string
  pos: string | undefined
  /** The rooms that it knows. */
  readonly rooms = new Map<string, FollowedRoom>()
  /** Users whose device lists changed or are gone, since the last time this was emptied. */
  readonly changedDevices = new Set<string>()
  readonly leftDevices = new Set<string>()
  /** The profiles that it knows, by user. */
  readonly profiles = new Map<string, Record<string, unknown>>()

  constructor(server: TestServer, token: string, dialect: SlidingDialect, connId = 'main') {
    this.#server = server
    this.#token = token
    this.#dialect = dialect
    this.#connId = connId
  }

  /** Sends a request with its `pos` and returns the answer, which is not looked at. */
  async ask(request: SlidingRequestBody, { pos = this.pos, timeoutMs = 0 } = {}): Promise<Answer> {
    const place = { ...(pos === undefined ? {} : { pos }), timeout: timeoutMs }
    const isV4 = this.#dialect === 'v4'
    const parameters = new URLSearchParams(Object.entries(place).map(([name, value]) => [name, String(value)]))
    const query = isV4 ? '' : `?${parameters.toString()}`
    return this.#server.call('POST', `${PATHS[this.#dialect]}${query}`, {
      token: this.#token,
      body: { conn_id: this.#connId, ...(isV4 ? place : {}), ...request },
    })
  }

  /** Asks and applies the answer; begins anew where the server does not know its `pos` any more. */
  async sync(request: SlidingRequestBody, options: { readonly timeoutMs?: number } = {}): Promise<SlidingAnswer> {
    const { status, body } = await this.ask(request, options)
    if (status === 400 && body['errcode'] === 'M_UNKNOWN_POS' && this.pos !== undefined) {
      this.pos = undefined
      // A new connection does not report rooms that were left meanwhile.
      this.rooms.clear()
      return this.sync(request, options)
    }
    if (status !== 200) throw new Error(`sliding sync answered ${status}: ${JSON.stringify(body)}`)
    const answer = body as unknown as SlidingAnswer
    this.#apply(answer)
    return answer
  }

  #apply(answer: SlidingAnswer): void {
    this.pos = answer.pos
    for (const [roomId, entry] of Object.entries(answer.rooms)) this.#applyRoom(roomId, entry)
    const lists = answer.extensions['e2ee']?.['device_lists'] as { changed: string[]; left: string[] } | undefined
    for (const user of lists?.changed ?? []) {
      this.changedDevices.add(user)
      this.leftDevices.delete(user)
    }
    this.#applyProfiles(answer.extensions['org.matrix.msc4262.profiles']?.['users'] as ProfileEntries | undefined)
    for (const user of lists?.left ?? []) {
      this.leftDevices.add(user)
      this.changedDevices.delete(user)
    }
  }

  #applyProfiles(entries: ProfileEntries = {}): void {
    for (const [user, entry] of Object.entries(entries)) {
      if (entry === null) {
        this.profiles.delete(user)
        continue
      }
      const { updated = {}, removed = [] } = entry
      const fields = Object.entries({ ...this.profiles.get(user), ...updated })
      this.profiles.set(user, Object.fromEntries(fields.filter(([field]) => !removed.includes(field))))
    }
  }

  #applyRoom(roomId: string, entry: SlidingEntry): void {
    const known = entry.initial ? undefined : this.rooms.get(roomId)
    const room = known ?? newRoom()
    this.rooms.set(roomId, room)
    const stripped = entry.invite_state ?? entry.stripped_state
    room.isOffer = stripped !== undefined || (known?.isOffer ?? false)
    for (const event of entry.required_state ?? []) {
      const key = `${event.type} ${event.state_key ?? ''}`
      if (event.event_id === undefined) room.state.delete(key)
      else room.state.set(key, event)
    }
    const isAnew = entry.limited || entry.unstable_expanded_timeline || entry.expanded_timeline
    const timeline = entry.timeline ?? []
    room.timeline = isAnew ? [...timeline] : [...room.timeline, ...timeline]
    if (entry.name !== undefined) room.name = entry.name ?? undefined
    room.joinedCount = entry.joined_count ?? room.joinedCount
    room.invitedCount = entry.invited_count ?? room.invitedCount
    room.notifications = entry.notification_count ?? room.notifications
    room.highlights = entry.highlight_count ?? room.highlights
    room.bumpStamp = entry.bump_stamp ?? room.bumpStamp
  }
}

function newRoom(): FollowedRoom {
  return {
    state: new Map(),
    timeline: [],
    name: undefined,
    joinedCount: undefined,
    invitedCount: undefined,
    notifications: 0,
    highlights: 0,
    bumpStamp: undefined,
    isOffer: false,
  }
}
