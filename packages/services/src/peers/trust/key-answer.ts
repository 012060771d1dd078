// SPDX-License-Identifier: Apache-2.0
import { isBannedKey } from '@myelin/matrix/banned-keys'
import { decodeBase64 } from '@myelin/matrix/base64'
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { isServerName } from '@myelin/matrix/ids'
import { isObject, type JsonObject, member, objectMember, stringMember } from '@myelin/matrix/json'
import { unsignedForm, verifyJson } from '@myelin/matrix/signatures'
import { isKeyId, MAX_VALIDITY_MS } from './key-ring.ts'
import type { ServerKey, ServerKeyAnswer } from '@myelin/storage/federation/server-keys'

/** The most keys in a document; servers publish a handful. */
const MAX_KEYS = 64
const MAX_ANSWER_BYTES = 32 * 1024

/**
 * Returns a server's keys from its key document; undefined where the document is not valid.
 *
 * Each verify key must have signed the document, which proves possession of the private key. A key is accepted for
 * seven days at most, so that its owner can revoke it.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#publishing-keys
 */
export function keyAnswerOf(document: JsonObject, now: number): ServerKeyAnswer | undefined {
  const server = stringMember(document, 'server_name')
  const validUntilTs = timeOf(document, 'valid_until_ts')
  const verifyKeys = listOf(document, 'verify_keys')
  if (!isServerName(server) || validUntilTs === undefined || !verifyKeys || verifyKeys.length === 0) return undefined
  const oldKeys = listOf(document, 'old_verify_keys') ?? []
  if (verifyKeys.length + oldKeys.length > MAX_KEYS) return undefined
  const answer = textOf(document, server)
  if (answer === undefined) return undefined

  const until = Math.min(validUntilTs, now + MAX_VALIDITY_MS)
  const keys = new Map<string, ServerKey>()
  for (const [keyId, publicKey] of verifyKeys) {
    if (!verifyJson(document, server, keyId, publicKey)) return undefined
    keys.set(keyId, { keyId, publicKey, validUntilTs: until, isOld: false })
  }
  for (const [keyId, publicKey, entry] of oldKeys) {
    const expiredTs = timeOf(entry, 'expired_ts')
    if (expiredTs !== undefined) keys.set(keyId, { keyId, publicKey, validUntilTs: expiredTs, isOld: true })
  }
  return { server, answerTs: now, answer, keys: [...keys.values()] }
}

/** Returns the Ed25519 keys of a list; other algorithms and malformed keys are ignored. */
function listOf(
  document: JsonObject,
  name: string,
): readonly (readonly [keyId: string, publicKey: Uint8Array, entry: JsonObject])[] | undefined {
  const list = objectMember(document, name)
  return (
    list &&
    Object.entries(list).flatMap(([keyId, entry]) => {
      if (!isKeyId(keyId) || !isObject(entry)) return []
      const publicKey = decodeBase64(stringMember(entry, 'key') ?? '')
      return publicKey?.length === 32 && !isBannedKey(publicKey) ? [[keyId, publicKey, entry] as const] : []
    })
  )
}

function timeOf(object: JsonObject, name: string): number | undefined {
  const value = member(object, name)
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** Returns the document with its server's own signatures only, without those of a notary. */
function textOf(document: JsonObject, server: string): string | undefined {
  try {
    const signatures = objectMember(objectMember(document, 'signatures') ?? {}, server) ?? {}
    const text = canonicalJson({ ...unsignedForm(document), signatures: { [server]: signatures } })
    return Buffer.byteLength(text) <= MAX_ANSWER_BYTES ? text : undefined
  } catch (error) {
    if (error instanceof RangeError) return undefined // no canonical form, so it cannot have been signed
    throw error
  }
}
