// SPDX-License-Identifier: Apache-2.0
import type { ServerName, UserId } from '@myelin/matrix/ids'
import { serverOf } from '@myelin/matrix/ids'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { withSignature } from '@myelin/matrix/signatures'
import { RemoteError } from '@myelin/remote/remote-error'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { EVENT_STATUS } from '@myelin/storage/rooms/events/events'
import type { StateRow } from '@myelin/storage/rooms/state/state-rows'
import type { Database } from '@myelin/storage/engine/database'
import { checkEventSignatures } from '../../peers/trust/check-signatures.ts'
import type { Checker } from '../intake/check-incoming.ts'
import { missingAmong } from '../intake/fetch-events.ts'
import type { Source } from '../intake/fetch-events.ts'
import { judgeByAuthEvents } from '../intake/judge.ts'
import { OutlierKeeper } from '../intake/outlier-keeper.ts'
import { stateRowsOf } from '../intake/state-in-steps.ts'
import { takeAnswer } from '../intake/take-answer.ts'
import type { LongAnswer, LongQuestion } from '../intake/take-answer.ts'
import { hintedServersIn } from '../partial/enter-partially.ts'
import { roomFor } from './room-for.ts'

/** A room as a server showed it to us when we joined, as far as it held; its events are kept, and lead nowhere yet. */
export interface ShownRoom {
  /** Our join, with the signature of who let us in. */
  readonly own: Pdu
  /** The state before it, an event a key, without those that were rejected. */
  readonly state: readonly StateRow[]
  /** The servers said to be in the room, where its members were left out; undefined where all were shown. */
  readonly servers: readonly ServerName[] | undefined
}

type Needs = Checker & { readonly db: Database }

/**
 * Sends our join and keeps what the server shows us of the room, while it does: every event by itself, after what it
 * rests on, which must be there. The create event must be the room's, and what is sent on is what we sent. Events that
 * fail are left out. Throws a `RemoteError` where it is no room; what was kept until then hurts nobody.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid
 */
export async function takeJoinAnswer(
  rt: Needs,
  source: Source,
  sent: Pdu,
  question: Omit<LongQuestion, 'server' | 'lists'>,
): Promise<ShownRoom> {
  const { server, version } = source
  const admit = async (create: Pdu) => {
    checkCreate(create, version)
    return rt.db.write((tx) => roomFor(tx, source))
  }
  const keeper = new OutlierKeeper(rt, source, { admit })
  const answer = await takeAnswer(rt, source, { ...question, server, lists: ['state', 'auth_chain'] }, keeper)
  for (const list of ['state', 'auth_chain']) {
    if (!Array.isArray(member(answer.rest, list))) throw malformed(`${list} is not a list`)
  }
  if (keeper.room === undefined) throw malformed('the room has no create event')
  const own = await sealed(rt, version, sent, objectMember(answer.rest, 'event'))
  await keeper.end(source, own.authEvents)
  if ((await missingAmong(rt, own.authEvents)).length > 0) throw malformed('what our join rests on is missing')
  return { own, state: await stateIn(rt, answer, keeper.room), servers: hintedServersIn(answer.rest, server) }
}

/** A create event that holds by itself and makes a room of the version we were told. */
function checkCreate(create: Pdu, version: RoomVersion): void {
  if (!judgeByAuthEvents(create, version, () => undefined).allowed) throw malformed('the create event makes no room')
  if ((member(create.content, 'room_version') ?? '1') !== version.id) throw malformed('the room has another version')
}

/** The events of the state that are kept: one a key, the create event among them. */
async function stateIn(rt: Needs, { ids }: LongAnswer, room: number | undefined): Promise<StateRow[]> {
  const named = ids.get('state') ?? []
  const rows = await stateRowsOf(rt.db, named)
  const state: StateRow[] = []
  const keys = new Set<number>()
  for (const id of named) {
    const row = rows.get(id)
    if (!row || row.room !== room) continue
    if (row.key === undefined || keys.has(row.key)) throw malformed('the state is no state')
    keys.add(row.key)
    if (row.status !== EVENT_STATUS.rejected) state.push(row)
  }
  if (!state.some(({ type, stateKey }) => type === 'm.room.create' && stateKey === '')) {
    throw malformed('the state has no create event')
  }
  return state
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

function malformed(message: string): RemoteError {
  return new RemoteError('malformed', message)
}
