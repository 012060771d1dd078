// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { ServerName } from '@myelin/matrix/ids'
import { serverOf } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { authChainOf } from '@myelin/storage/rooms/events/auth-edges'
import type { Read } from '@myelin/storage/engine/database'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { namedState, roomById } from '@myelin/storage/rooms/rooms'
import type { Runtime } from '../../runtime/runtime.ts'
import { summaryOf } from '../../sync/summary.ts'
import { servedPdus } from '../serve/served-pdus.ts'
import type { TakenMembership } from './take-membership.ts'

/** The answer to a server that joined. */
export interface JoinAnswer {
  readonly state: readonly RawJson[]
  readonly authChain: readonly RawJson[]
  readonly event: JsonObject
  readonly membersOmitted: boolean
  readonly serversInRoom: readonly ServerName[]
}

/**
 * Returns the state before a join and its auth chain. Where `omit_members` was requested, only the members that the
 * room's name is computed from are included.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid
 */
export async function joinAnswer(
  rt: Pick<Runtime, 'db'>,
  { room, event }: TakenMembership,
  omitsMembers: boolean,
): Promise<JoinAnswer> {
  const db = rt.db.read
  const whole = await namedState(db, event.stateBefore)
  const heroes = omitsMembers ? await heroesOf(db, { room, event }) : new Set<string>()
  const shown = whole.filter(({ type, stateKey }) => !omitsMembers || type !== 'm.room.member' || heroes.has(stateKey))
  const state = shown.map((entry) => entry.event)
  const chain = await authChainOf(db, [...state, event.nid])
  if (omitsMembers) for (const nid of state) chain.delete(nid)
  return {
    state: await servedPdus(db, room.version, state),
    authChain: await servedPdus(db, room.version, [...chain]),
    event: event.pdu.json,
    membersOmitted: omitsMembers,
    serversInRoom: await serversBefore(db, { room, event }),
  }
}

async function heroesOf(db: Read, { room, event }: TakenMembership): Promise<Set<string>> {
  const row = await roomById(db, room.id)
  const summary = row && (await summaryOf(db, row, event.pdu.sender))
  return new Set(summary?.['m.heroes'] ?? [])
}

async function serversBefore(db: Read, { room, event }: TakenMembership): Promise<ServerName[]> {
  const counts = await joinedServers(db, room.id)
  const own = serverOf(event.pdu.sender)
  return [...counts].flatMap(([server, count]) => (server === own && count === 1 ? [] : [server]))
}
