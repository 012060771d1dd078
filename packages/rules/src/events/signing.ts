// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { type SigningKey, signatureOf, signBytes, verifyBytes, withSignature } from '@myelin/matrix/signatures'
import type { RoomVersion } from '../room-versions.ts'
import { canonicalMembers, signedForm } from './canonical-members.ts'

/** The signing server and its key. */
export interface Signer {
  readonly serverName: ServerName
  readonly key: SigningKey
}

/**
 * Returns the event with one more signature, as for an accepted invite or an authorized join.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#signing-events
 */
export function addSignature(pdu: Pdu, version: RoomVersion, signer: Signer): Pdu {
  const signature = signBytes(signedFormOf(pdu.json, version), signer.key)
  return Object.freeze({ ...pdu, json: withSignature(pdu.json, signer.serverName, signer.key.id, signature) })
}

/**
 * Returns whether a server signed an event with a key.
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

/** Returns the text that an event's signatures cover; compute it once for several signatures. */
export function signedFormOf(json: JsonObject, version: RoomVersion): string {
  return signedForm(canonicalMembers(json, version), json, version)
}
