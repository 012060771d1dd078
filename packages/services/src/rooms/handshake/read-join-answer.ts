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
import type { StateRow } from '@myelin/storage/rooms/events/state-rows'
import type { Database } from '@myelin/storage/engine/database'
import { checkEventSignatures } from '../../peers/trust/check-signatures.ts'
import type { Checker } from '../intake/check-incoming.ts'
import { missingAmong } from '../intake/fetch-events.ts'
import type { Source } from '../intake/fetch-events.ts'
import { judgeByAuthEvents } from '../append/judge.ts'
import { OutlierKeeper } from '../intake/outlier-keeper.ts'
import { stateRowsOf } from '../intake/state-in-steps.ts'
import { streamEvents } from '../intake/stream-events.ts'
import type { StreamedAnswer, StreamedRequest } from '../intake/stream-events.ts'
import { hintedServersIn } from '../partial/enter-partially.ts'
import { roomFor } from './room-for.ts'

/**
 * A room as the resident server sent it in the join answer, without events that failed their checks. Its events are
 * kept as outliers.
 */
export interface ShownRoom {
  /** The join event, with the signature of the authorizing user's server. */
  readonly own: Pdu
  /** The state before the join, one event per key, without rejected events. */
  readonly state: readonly StateRow[]
  /**
   * The servers in the room according to the answer, where its members were omitted; undefined where all members were
   * sent.
   */
  readonly servers: readonly ServerName[] | undefined
}

type Needs = Checker & { readonly db: Database }

/**
 * Sends the join, and keeps the state and auth events of the answer while it streams in: each event after its auth
 * events, which must be present. The create event must be the room's, and the returned join must be the one sent.
 *
 * Events that fail a check are left out. Throws a `RemoteError` where the answer does not describe a room; outliers
 * kept until then do no harm.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid
 */
export async function readJoinAnswer(
  rt: Needs,
  source: Source,
  sent: Pdu,
  question: Omit<StreamedRequest, 'server' | 'lists'>,
): Promise<ShownRoom> {
  const { server, version } = source
  const admit = async (create: Pdu) => {
    checkCreate(create, version)
    return rt.db.write((tx) => roomFor(tx, source))
  }
  const keeper = new OutlierKeeper(rt, source, { admit })
  const answer = await streamEvents(rt, source, { ...question, server, lists: ['state', 'auth_chain'] }, keeper)
  for (const list of ['state', 'auth_chain']) {
    if (!Array.isArray(member(answer.rest, list))) throw malformed(`${list} is not a list`)
  }
  if (keeper.room === undefined) throw malformed('the room has no create event')
  const own = await withAuthorizingSignature(rt, version, sent, objectMember(answer.rest, 'event'))
  await keeper.end(source, own.authEvents)
  if ((await missingAmong(rt, own.authEvents)).length > 0) throw malformed('auth events of the join are missing')
  return { own, state: await stateIn(rt, answer, keeper.room), servers: hintedServersIn(answer.rest, server) }
}

/** Checks that a create event is valid by itself and has the room version that the template named. */
function checkCreate(create: Pdu, version: RoomVersion): void {
  if (!judgeByAuthEvents(create, version, () => undefined).allowed) throw malformed('the create event makes no room')
  if ((member(create.content, 'room_version') ?? '1') !== version.id) throw malformed('the room has another version')
}

/** Returns the state events that were kept, one per key, the create event among them. */
async function stateIn(rt: Needs, { ids }: StreamedAnswer, room: number | undefined): Promise<StateRow[]> {
  const named = ids.get('state') ?? []
  const rows = await stateRowsOf(rt.db, named)
  const state: StateRow[] = []
  const keys = new Set<number>()
  for (const id of named) {
    const row = rows.get(id)
    if (!row || row.room !== room) continue
    if (row.key === undefined || keys.has(row.key))
      throw malformed('the state has an event without a state key, or two for one key')
    keys.add(row.key)
    if (row.status !== EVENT_STATUS.rejected) state.push(row)
  }
  if (!state.some(({ type, stateKey }) => type === 'm.room.create' && stateKey === '')) {
    throw malformed('the state has no create event')
  }
  return state
}

/**
 * Returns the join that was sent, with the signature that authorizes it in a restricted room; nothing else of the
 * answer is used.
 */
async function withAuthorizingSignature(
  rt: Checker,
  version: RoomVersion,
  sent: Pdu,
  back: JsonObject | undefined,
): Promise<Pdu> {
  const authorisingUser = stringMember(sent.content, 'join_authorised_via_users_server')
  if (authorisingUser === undefined) return sent
  const server = serverOf(authorisingUser as UserId)
  const signatures = objectMember(objectMember(back ?? {}, 'signatures') ?? {}, server) ?? {}
  let { json } = sent
  for (const [keyId, signature] of Object.entries(signatures).slice(0, 8)) {
    if (typeof signature === 'string') json = withSignature(json, server, keyId, signature)
  }
  const pdu = { ...sent, json }
  if ((await checkEventSignatures(rt, version, [pdu])).has(sent.id)) return pdu
  throw malformed(`${server} did not sign the join that it authorizes`)
}

function malformed(message: string): RemoteError {
  return new RemoteError('malformed', message)
}
