// SPDX-License-Identifier: Apache-2.0
import { canonicalJsonLoose } from '@myelin/matrix/canonical-json'
import { type JsonObject, objectMember, stringMember } from '@myelin/matrix/json'
import { decodeBase64, encodeBase64 } from '@myelin/matrix/base64'
import { sha256Base64 } from '@myelin/matrix/signatures'

/**
 * Returns the content hash of an event, in standard unpadded Base64.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#calculating-the-content-hash-for-an-event
 */
export function contentHash(json: JsonObject): string {
  const { unsigned: _unsigned, signatures: _signatures, hashes: _hashes, ...rest } = json
  // In strict versions the parser refuses everything that the two encodings differ in.
  return sha256Base64(canonicalJsonLoose(rest))
}

/** Returns whether an event's content hash is right; where it is not, the event is redacted. */
export function contentHashMatches(json: JsonObject): boolean {
  const claimed = stringMember(objectMember(json, 'hashes') ?? {}, 'sha256')
  const bytes = claimed === undefined ? undefined : decodeBase64(claimed)
  return bytes !== undefined && encodeBase64(bytes) === contentHash(json)
}
