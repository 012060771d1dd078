// SPDX-License-Identifier: Apache-2.0
import { encodeBase64 } from '@myelin/matrix/base64'
import type { EventId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { signJson } from '@myelin/matrix/signatures'
import type { SigningKey } from '@myelin/matrix/signatures'
import type { ForeignRoom } from '../foreign-room.ts'
import { testSigningKey } from '../runtime.ts'

/**
 * Returns the answer of a server to `GET /_matrix/key/v2/server`: its signing key, older ones, and members that a test adds,
 * signed with that key. Without a key it is the one that tests give the server.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server
 */
export function keyDocument(
  server: string,
  change: {
    readonly key?: SigningKey
    readonly old?: readonly (readonly [key: SigningKey, expiredTs: number])[]
    readonly validUntilTs: number
    readonly more?: JsonObject
  },
): JsonObject {
  const key = change.key ?? testSigningKey(server)
  const old = (change.old ?? []).map(([each, expired_ts]) => [
    each.id,
    { key: encodeBase64(each.publicKey), expired_ts },
  ])
  const document = {
    server_name: server,
    verify_keys: { [key.id]: { key: encodeBase64(key.publicKey) } },
    old_verify_keys: Object.fromEntries(old) as JsonObject,
    valid_until_ts: change.validUntilTs,
    ...change.more,
  }
  return signJson(document, server, key)
}

/** Returns the answer of a resident server to `make_join`, `make_leave` or `make_knock` for a user. */
export function membershipTemplate(
  room: ForeignRoom,
  userId: string,
  membership: 'join' | 'leave' | 'knock' = 'join',
): { readonly room_version: string; readonly event: JsonObject } {
  const { json } = room.build({ sender: userId, type: 'm.room.member', stateKey: userId, content: { membership } })
  const { hashes: _hashes, signatures: _signatures, ...event } = json
  return { room_version: room.version.id, event }
}

/**
 * Returns the answer of a resident server to `send_join`: the state of the room before the join and its auth chain, without
 * members if `omitsMembers` is true.
 */
export function joinAnswer(
  room: ForeignRoom,
  join: JsonObject,
  { origin, servers, omitsMembers = false }: { origin: string; servers: readonly string[]; omitsMembers?: boolean },
): JsonObject {
  const whole = [...room.state.values()]
  const state = omitsMembers ? whole.filter(({ type }) => type !== 'm.room.member') : whole
  return {
    origin,
    members_omitted: omitsMembers,
    state: state.map(({ json }) => json),
    auth_chain: authChainOf(room, state).map(({ json }) => json),
    event: join,
    servers_in_room: [...servers],
  }
}

/** Returns the auth chain of some events of a room, without those events unless another of them needs them. */
export function authChainOf(room: ForeignRoom, events: readonly Pdu[]): Pdu[] {
  const chain = new Map<EventId, Pdu>()
  const open = [...events]
  for (let event = open.pop(); event; event = open.pop()) {
    for (const id of event.authEvents) {
      const next = chain.has(id) ? undefined : room.events.get(id)
      if (!next) continue
      chain.set(id, next)
      open.push(next)
    }
  }
  return [...chain.values()]
}
