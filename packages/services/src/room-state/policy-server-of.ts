// SPDX-License-Identifier: Apache-2.0
import { decodeBase64 } from '@myelin/matrix/base64'
import { isServerName } from '@myelin/matrix/ids'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { objectMember, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Read } from '@myelin/storage/engine/database'
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import { loadStateEvent } from './load-auth-state.ts'
import { serversThoughtInRoom } from './servers-thought-in-room.ts'

/** A room's policy server, and its public key. */
export interface PolicyServer {
  readonly name: ServerName
  readonly publicKey: Uint8Array
}

/** The key ID of each policy server key. */
export const POLICY_KEY_ID = 'ed25519:policy_server'

/**
 * Returns the policy server of a room; undefined where it has none.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#determining-if-a-policy-server-is-enabled-in-a-room
 */
export async function policyServerOf(
  db: Read,
  room: { readonly id: RoomId; readonly stateRoot: number },
): Promise<PolicyServer | undefined> {
  // Cached by state event, because every send reads it.
  const cache = policyEvents.of(db)
  const root = String(room.stateRoot)
  let kept = cache.get(root)
  if (!kept) cache.set(root, (kept = { event: await loadStateEvent(db, room.stateRoot, 'm.room.policy') }))
  const { event } = kept
  if (!event) return undefined
  const name = stringMember(event.content, 'via')
  const encoded = stringMember(objectMember(event.content, 'public_keys') ?? {}, 'ed25519')
  const publicKey = encoded === undefined ? undefined : decodeBase64(encoded)
  if (!isServerName(name) || encoded === undefined) return undefined
  // With an invalid key the policy server stays in force, and no signature is valid.
  const isIn = (await serversThoughtInRoom(db, room.id)).has(name)
  return isIn ? { name, publicKey: publicKey ?? new Uint8Array() } : undefined
}

const policyEvents = new DatabaseCache<{ readonly event: Pdu | undefined }>('policyEvents', 5_000)
