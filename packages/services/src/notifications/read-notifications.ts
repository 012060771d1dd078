// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Json } from '@myelin/matrix/json'
import type { RuleChoice } from '@myelin/rules/push/default-rules'
import { evaluate } from '@myelin/rules/push/evaluate'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid, timeline } from '@myelin/storage/rooms/events/events'
import { justAfter, justBefore } from '@myelin/storage/rooms/events/history-positions'
import { joinedRoomsByAge } from '@myelin/storage/sync/changed-rooms'
import type { JoinedRoom } from '@myelin/storage/sync/changed-rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { readUpTo } from '@myelin/storage/sync/unread'
import type { ReadUpTo } from '@myelin/storage/sync/unread'
import { ignoredUsers } from '../standing/ignored-users.ts'
import { pushContext } from '../account-data/push-rules.ts'
import { parseToken, printPosition } from '../room-state/page-token.ts'
import { renderEvents } from '../reading/render.ts'
import { visibleTo } from '../reading/visible.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { latestFirst } from './latest-first.ts'

/** An event that notified the user. */
export interface Notification {
  readonly actions: readonly Json[]
  readonly event: RawJson | undefined
  readonly read: boolean
  readonly room_id: RoomId
  readonly ts: number
}

/** A page of notifications; `only` is the parameter of the client. */
export interface NotificationsRequest {
  readonly from?: string | undefined
  readonly limit: number
  readonly only?: string | undefined
}

const MAX_LIMIT = 100
const PAGE = 30
// A page evaluates at most this many events; it may be short, with a token to continue.
const MAX_JUDGED = 2000

type Judged = {
  readonly event: StoredEvent
  readonly position: number
  readonly actions: readonly Json[]
  readonly isHighlight: boolean
  readonly isRead: boolean
}

/**
 * Returns the requester's notifications, the latest first. They are not stored: the present push rules are evaluated over
 * the events since the requester joined, with the present state of the rooms.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3notifications
 */
export async function readNotifications(
  rt: Pick<Runtime, 'db' | 'clock' | 'config'>,
  requester: Requester,
  request: NotificationsRequest,
): Promise<{ readonly notifications: readonly Notification[]; readonly next_token?: string }> {
  const db = rt.db.read
  const limit = Math.min(request.limit, MAX_LIMIT)
  const start = request.from === undefined ? undefined : justAfter(parseToken(request.from).position)
  const upTo = await rt.db.position()
  const rooms = new Map((await joinedRoomsByAge(db, requester.userId)).map((room) => [room.roomId, room]))
  const judge = new Judge(db, requester.userId, upTo, rt.config.push)
  const ends = [...rooms.values()].map(({ roomId, last }) => {
    const end = justAfter(Math.min(last, upTo))
    return { roomId, before: start === undefined ? end : Math.min(start, end) }
  })
  const found: Judged[] = []
  let end: number | undefined
  let judged = 0
  const events = latestFirst(ends, (roomId, before) => judge.page(rooms.get(roomId), before))
  for await (const each of events) {
    const isWanted = each.actions.length > 0 && (request.only !== 'highlight' || each.isHighlight)
    if (isWanted && found.length === limit) {
      end = each.position
      break
    }
    if (isWanted) found.push(each)
    if (++judged >= MAX_JUDGED) {
      end = justBefore(each.position)
      break
    }
  }
  const view = { requester, now: rt.clock.now(), format: { hasRoomId: false }, bundles: true }
  const notifications = await Promise.all(
    found.map(async ({ event, actions, isRead }) => ({
      actions,
      event: (await renderEvents(db, [event], view))[0],
      read: isRead,
      room_id: event.pdu.roomId,
      ts: event.pdu.originServerTs,
    })),
  )
  return { notifications, ...(end === undefined ? {} : { next_token: printPosition(end) }) }
}

/** Evaluates a user's push rules over events; reads what it needs of a room once. */
class Judge {
  readonly #db: Read
  readonly #user: UserId
  readonly #upTo: number
  readonly #choice: RuleChoice
  readonly #rooms = new Map<RoomId, Promise<{ rules: Awaited<ReturnType<typeof pushContext>>; read: ReadUpTo }>>()

  constructor(db: Read, user: UserId, upTo: number, choice: RuleChoice) {
    this.#db = db
    this.#user = user
    this.#upTo = upTo
    this.#choice = choice
  }

  /** Returns a room's next events before a position, with the actions of the rules; without actions if they do not notify. */
  async page(room: JoinedRoom | undefined, before: number): Promise<Judged[]> {
    if (!room || before <= room.joined) return []
    const { roomId, joined } = room
    const db = this.#db
    const events = await timeline(db, { roomId, direction: 'backward', after: joined, before, limit: PAGE })
    const seen = new Set(await visibleTo(db, this.#user, roomId, events))
    const ignored = await ignoredUsers(db, this.#user)
    const { rules, read } = await this.#about(room)
    const threads = await threadRoots(db, events)
    return events.map((event): Judged => {
      const position = event.position ?? 0
      const isSilent = !seen.has(event) || event.redactedBy !== null || ignored.has(event.pdu.sender)
      const outcome = evaluate(rules.rules, event.pdu, rules.forSender(event.pdu.sender))
      const root = event.thread === null ? undefined : threads.get(event.thread)
      const readTo = root === undefined ? read.main : Math.max(read.everywhere, read.threads.get(root) ?? 0)
      const tweaks = [...outcome.tweaks].map(([tweak, value]) => ({ set_tweak: tweak, value }))
      return {
        event,
        position,
        actions: isSilent || !outcome.notify ? [] : ['notify', ...tweaks],
        isHighlight: outcome.highlight,
        isRead: position <= readTo,
      }
    })
  }

  async #about({ roomId, joined }: JoinedRoom) {
    let about = this.#rooms.get(roomId)
    if (!about) {
      const [db, user, upTo] = [this.#db, this.#user, this.#upTo]
      const load = async () => ({
        rules: await pushContext(db, user, roomId, this.#choice),
        read: await readUpTo(db, { roomId, user, joined, upTo }),
      })
      this.#rooms.set(roomId, (about = load()))
    }
    return about
  }
}

async function threadRoots(db: Read, events: readonly StoredEvent[]): Promise<Map<number, string>> {
  const nids = [...new Set(events.flatMap(({ thread }) => thread ?? []))]
  const roots = await eventsByNid(db, nids)
  return new Map([...roots].map(([nid, { pdu }]) => [nid, pdu.id]))
}
