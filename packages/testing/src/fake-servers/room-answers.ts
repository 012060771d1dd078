// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { SigningKey } from '@myelin/matrix/signatures'
import { parsePdu } from '@myelin/rules/events/parse-pdu'
import type { ForeignRoom } from '../foreign-room.ts'
import { authChainOf, joinAnswer, keyDocument, membershipTemplate } from './honest-answers.ts'
import type { FakeServerRequest } from './fake-servers.ts'

/** Fake servers that host rooms. */
export interface RoomHosts {
  readonly names: readonly ServerName[]
  readonly rooms: ReadonlyMap<RoomId, ForeignRoom>
  /** Returns the signing key of a server. */
  keyOf(server: string): SigningKey
}

type Answer = { readonly status: number; readonly text: string }
type Question = {
  readonly servers: RoomHosts
  readonly asked: FakeServerRequest
  readonly parts: readonly string[]
  readonly query: URLSearchParams
}

/** Returns the answer of an honest server. Every server knows all rooms. */
export function answerTo(servers: RoomHosts, asked: FakeServerRequest): Answer {
  const url = new URL(asked.target, 'https://x')
  const [, api, , ...parts] = url.pathname.slice(1).split('/').map(decodeURIComponent)
  if (api === 'key') {
    const key = servers.keyOf(asked.destination)
    return ok(keyDocument(asked.destination, { key, validUntilTs: Date.now() + 86_400_000 }))
  }
  const [endpoint = '', ...rest] = parts
  const answer = ANSWERS[endpoint]?.({ servers, asked, parts: rest, query: url.searchParams })
  return answer === undefined ? { status: 404, text: '{"errcode":"M_NOT_FOUND","error":"not here"}' } : ok(answer)
}

const ok = (body: JsonObject | string): Answer => ({
  status: 200,
  text: typeof body === 'string' ? body : JSON.stringify(body),
})

/** The room state before each accepted join, by the join's event ID. */
const statesBefore = new Map<EventId, readonly Pdu[]>()

function stateBefore({ query }: Question, room: ForeignRoom): readonly Pdu[] {
  return statesBefore.get(query.get('event_id') as EventId) ?? [...room.state.values()]
}

const ANSWERS: Readonly<Record<string, (question: Question) => JsonObject | string | undefined>> = {
  version: () => ({ server: { name: 'simulated', version: '1' } }),
  send: ({ asked }) => {
    const { pdus = [] } = JSON.parse(asked.body ?? '') as { pdus?: Json[] }
    return { pdus: {}, taken: pdus.length }
  },
  make_join: (question) => {
    const { room, parts } = inRoom(question)
    return room && membershipTemplate(room, parts[1] ?? '')
  },
  send_join: (question) => {
    const { room, asked, servers, query } = inRoom(question)
    if (!room) return undefined
    const event = JSON.parse(asked.body ?? '') as JsonObject
    const answer = joinAnswer(room, event, {
      origin: asked.destination,
      servers: servers.names,
      omitsMembers: query.get('omit_members') === 'true',
    })
    const join = parsePdu(event, room.version)
    statesBefore.set(join.id, [...room.state.values()])
    room.adopt(join)
    return answer
  },
  state: (question) => {
    const { room } = inRoom(question)
    if (!room) return undefined
    const state = stateBefore(question, room)
    return `{"pdus":${listOf(state)},"auth_chain":${listOf(authChainOf(room, state))}}`
  },
  state_ids: (question) => {
    const { room } = inRoom(question)
    return { pdu_ids: room ? stateBefore(question, room).map(({ id }) => id) : [], auth_chain_ids: [] }
  },
  event: ({ servers, parts: [id] }) => {
    for (const room of servers.rooms.values()) {
      const pdu = room.events.get(id as EventId)
      if (pdu) return { origin: 'x', origin_server_ts: 0, pdus: [pdu.json] }
    }
    return undefined
  },
  event_auth: (question) => {
    const { room, parts } = inRoom(question)
    const first = room?.events.get(parts[1] as EventId)
    return `{"auth_chain":${listOf(room && first ? walk(room, first.authEvents, ({ authEvents }) => authEvents, 100_000) : [])}}`
  },
  backfill: (question) => {
    const { room, query } = inRoom(question)
    const from = query.getAll('v') as EventId[]
    return `{"pdus":${listOf(room ? walk(room, from, ({ prevEvents }) => prevEvents, Number(query.get('limit'))) : [])}}`
  },
  get_missing_events: (question) => {
    const { room, asked } = inRoom(question)
    const query = JSON.parse(asked.body ?? '') as {
      earliest_events: EventId[]
      latest_events: EventId[]
      limit: number
    }
    const from = query.latest_events.flatMap((id) => room?.events.get(id)?.prevEvents ?? [])
    const known = new Set(query.earliest_events)
    const found = room ? walk(room, from, ({ prevEvents }) => prevEvents, query.limit, known) : []
    return `{"events":${listOf(found.toReversed())}}`
  },
}

function inRoom(question: Question): Question & { readonly room: ForeignRoom | undefined } {
  return { ...question, room: question.servers.rooms.get(question.parts[0] as RoomId) }
}

function listOf(pdus: Iterable<Pdu>): string {
  const texts: string[] = []
  for (const { json } of pdus) texts.push(JSON.stringify(json))
  return `[${texts.join(',')}]`
}

/** Walks backwards from some events and returns those found, nearest first, without the known ones. */
function walk(
  room: ForeignRoom,
  from: readonly EventId[],
  next: (pdu: Pdu) => readonly EventId[],
  limit: number,
  known: ReadonlySet<EventId> = new Set(),
): Pdu[] {
  const found = new Map<EventId, Pdu>()
  const open = [...from]
  for (let at = 0; at < open.length && found.size < limit; at++) {
    const id = open[at] as EventId
    const pdu = room.events.get(id)
    if (!pdu || known.has(id) || found.has(id)) continue
    found.set(id, pdu)
    open.push(...next(pdu))
  }
  return [...found.values()]
}
