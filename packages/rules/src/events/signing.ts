// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { type SigningKey, signatureOf, signBytes, verifyBytes, withSignature } from '@myelin/matrix/signatures'
import type { RoomVersion } from '../room-versions.ts'
import { canonicalMembers, signedForm } from './canonical-members.ts'

/** Who signs. */
export interface Signer {
  readonly serverName: ServerName
  readonly key: SigningKey
}

/**
 * The event with one more signature, as for an invite that we take or a join that we vouch for.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#signing-events
 */
export function addSignature(pdu: Pdu, version: RoomVersion, signer: Signer): Pdu {
  const signature = signBytes(signedFormOf(pdu.json, version), signer.key)
  return Object.freeze({ ...pdu, json: withSignature(pdu.json, signer.serverName, signer.key.id, signature) })
}

/**
 * Whether a server signed this event with this key.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 */
export function isSignedBy(
  pdu: Pdu,
  version: RoomVersion,
  entity: string,
  keyId: string,
  publicKey: Uint8Array,
): boolean {
  const signature = signatureOf(pdu.json, entity, keyId)
  return signature !== undefined && verifyBytes(signedFormOf(pdu.json, version), signature, publicKey)
}

/** The text that signatures of an event cover; compute it once where there are several to check. */
export function signedFormOf(json: JsonObject, version: RoomVersion): string {
  return signedForm(canonicalMembers(json, version), json, version)
}
