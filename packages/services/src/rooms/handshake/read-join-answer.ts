// SPDX-License-Identifier: Apache-2.0
import type { EventId, ServerName, UserId } from '@myelin/matrix/ids'
import { serverOf } from '@myelin/matrix/ids'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { withSignature } from '@myelin/matrix/signatures'
import { RemoteError } from '@myelin/remote/remote-error'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { checkEventSignatures } from '../../federation/check-signatures.ts'
import { nextTurn } from '../../federation/signature-workers.ts'
import { parseIncoming, verified } from '../intake/check-incoming.ts'
import type { Checker } from '../intake/check-incoming.ts'
import { fetchEvents, missingAmong } from '../intake/fetch-missing.ts'
import type { Source } from '../intake/fetch-missing.ts'
import { inOrder, judgeByAuthEvents } from '../intake/judge.ts'
import { createFirst } from '../intake/keep-outliers.ts'
import { hintedServersIn } from '../partial/enter-partially.ts'

/** A room as a server showed it to us when we joined, as far as it held. */
export interface ShownRoom {
  /** Our join, with the signature of who let us in. */
  readonly own: Pdu
  /** The events of the state before it. */
  readonly state: readonly EventId[]
  /** Those and what they rest on, each after what it rests on. */
  readonly events: readonly Pdu[]
  /** The servers said to be in the room, where its members were left out; undefined where all were shown. */
  readonly servers: readonly ServerName[] | undefined
}

const SLICE = 200
const MAX_FETCHED = 40

/**
 * Checks what a server answers to our join: every event by itself, that all rest on events that are there, that the
 * create event is the room's, and that what is sent on is what we sent. Events that fail are left out.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid
 */
export async function readJoinAnswer(rt: Checker, source: Source, sent: Pdu, answer: JsonObject): Promise<ShownRoom> {
  const state = await parsed(listIn(answer, 'state'), source)
  const chain = await parsed(listIn(answer, 'auth_chain'), source)
  const good = await verified(
    rt,
    [...new Map([...state, ...chain].map((pdu) => [pdu.id, pdu])).values()],
    source.version,
  )
  const own = await sealed(rt, source.version, sent, objectMember(answer, 'event'))
  const events = await wholeChains(rt, source, good, own)
  const there = new Map(events.map((pdu) => [pdu.id, pdu]))
  const kept = state.flatMap(({ id }) => there.get(id) ?? [])
  checkState(kept, source.version)
  return { own, state: kept.map(({ id }) => id), events, servers: hintedServersIn(answer, source.server) }
}

function listIn(answer: JsonObject, key: string): readonly Json[] {
  const list = member(answer, key)
  if (!Array.isArray(list)) throw malformed(`${key} is not a list`)
  return list as readonly Json[]
}

async function parsed(jsons: readonly Json[], source: Source): Promise<Pdu[]> {
  const pdus: Pdu[] = []
  for (const [at, json] of jsons.entries()) {
    // A room may have a hundred thousand members.
    if (at % SLICE === SLICE - 1) await nextTurn()
    const result = parseIncoming(json, source, { isBackfill: true })
    if ('pdu' in result) pdus.push(result.pdu)
  }
  return pdus
}

/** One event a key, a create event that holds by itself and makes a room of the version we were told. */
function checkState(state: readonly Pdu[], version: RoomVersion): void {
  const keys = new Set<string>()
  for (const pdu of state) {
    const key = pdu.stateKey === undefined ? undefined : stateKey(pdu.type, pdu.stateKey)
    if (key === undefined || keys.has(key)) throw malformed('the state is no state')
    keys.add(key)
  }
  const create = state.find((pdu) => pdu.type === 'm.room.create' && pdu.stateKey === '')
  if (!create || !judgeByAuthEvents(create, version, () => undefined).allowed) {
    throw malformed('the room has no create event')
  }
  if ((member(create.content, 'room_version') ?? '1') !== version.id) throw malformed('the room has another version')
}

/** The event we sent, with the signature that lets us into a restricted room; nothing else is taken of what comes back. */
async function sealed(rt: Checker, version: RoomVersion, sent: Pdu, back: JsonObject | undefined): Promise<Pdu> {
  const voucher = stringMember(sent.content, 'join_authorised_via_users_server')
  if (voucher === undefined) return sent
  const server = serverOf(voucher as UserId)
  const signatures = objectMember(objectMember(back ?? {}, 'signatures') ?? {}, server) ?? {}
  let { json } = sent
  for (const [keyId, signature] of Object.entries(signatures).slice(0, 8)) {
    if (typeof signature === 'string') json = withSignature(json, server, keyId, signature)
  }
  const pdu = { ...sent, json }
  if ((await checkEventSignatures(rt, version, [pdu])).has(sent.id)) return pdu
  throw malformed(`${server} did not sign the join it stands for`)
}

/** Events whose auth events are all there, and theirs; what is missing is asked for once. */
async function wholeChains(rt: Checker, source: Source, good: readonly Pdu[], own: Pdu): Promise<Pdu[]> {
  const pool = new Map(good.map((pdu) => [pdu.id, pdu]))
  const absent = [...pool.values(), own].flatMap(({ authEvents }) => authEvents).filter((id) => !pool.has(id))
  const missing = await missingAmong(rt, absent)
  if (missing.length > 0 && missing.length <= MAX_FETCHED) {
    for (const pdu of await fetchEvents(rt, source, missing)) pool.set(pdu.id, pdu)
  }
  const lost = new Set(missing.filter((id) => !pool.has(id)))
  const whole: Pdu[] = []
  for (const pdu of inOrder(createFirst(pool.values()), ({ authEvents }) => authEvents)) {
    if (pdu.authEvents.some((id) => lost.has(id))) lost.add(pdu.id)
    else whole.push(pdu)
  }
  if (own.authEvents.some((id) => lost.has(id))) throw malformed('what our join rests on is missing')
  return whole
}

function malformed(message: string): RemoteError {
  return new RemoteError('malformed', message)
}
