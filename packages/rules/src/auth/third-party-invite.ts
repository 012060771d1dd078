// SPDX-License-Identifier: Apache-2.0
import { decodeBase64 } from '@myelin/matrix/base64'
import { canonicalJsonLoose } from '@myelin/matrix/canonical-json'
import { isObject, type JsonObject, member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { unsignedForm, verifyBytes } from '@myelin/matrix/signatures'
import type { AuthState } from './auth-state.ts'
import { allow, reject, type Verdict } from './verdict.ts'

/** The most keys and signatures that are examined; identity servers give two keys and sign once. */
const MAX_KEYS = 10
const MAX_SIGNATURES = 10

/**
 * Judges `m.room.third_party_invite`: rule 7.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function judgeThirdPartyInvite(event: Pdu, state: AuthState): Verdict {
  // 1. Allow if and only if the sender's power level is at least the invite level.
  return state.powerOf(event.sender) >= state.levelFor('invite') ? allow : reject('third-party-invite.sender-too-weak')
}

/**
 * Judges an invite that answers a third-party invite: rule 5.4.1.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function judgeThirdPartyAnswer(event: Pdu, target: string, answer: unknown, state: AuthState): Verdict {
  // 1. If the target user is banned, reject.
  if (state.membershipOf(target) === 'ban') return reject('invite.target-banned')

  // 2. If `content.third_party_invite` does not have a `signed` property, reject.
  const signed = isObject(answer) ? objectMember(answer, 'signed') : undefined
  if (!signed) return reject('third-party-invite.not-signed')

  // 3. If `signed` does not have `mxid` and `token` properties, reject.
  const mxid = stringMember(signed, 'mxid')
  const token = stringMember(signed, 'token')
  if (mxid === undefined || token === undefined) return reject('third-party-invite.not-signed')

  // 4. If `mxid` does not match `state_key`, reject.
  if (mxid !== target) return reject('third-party-invite.for-another-user')

  // 5. If there is no `m.room.third_party_invite` event in the current room state for `token`, reject.
  const invite = state.get('m.room.third_party_invite', token)
  if (!invite) return reject('third-party-invite.unknown-token')

  // 6. If `sender` does not match the sender of that event, reject.
  if (event.sender !== invite.sender) return reject('third-party-invite.of-another-sender')

  // 7. If any signature in `signed` matches any public key in that event, allow.
  return isSignedByAny(signed, keysOf(invite.content)) ? allow : reject('third-party-invite.bad-signature')
}

function keysOf(content: JsonObject): Uint8Array[] {
  const listed = member(content, 'public_keys')
  const entries = Array.isArray(listed) ? listed.slice(0, MAX_KEYS).filter(isObject) : []
  const texts = [stringMember(content, 'public_key'), ...entries.map((entry) => stringMember(entry, 'public_key'))]
  const distinct = [...new Set(texts.filter((text) => text !== undefined))].slice(0, MAX_KEYS)
  return distinct.map(decodeBase64).filter((key): key is Uint8Array => key?.length === 32)
}

function isSignedByAny(signed: JsonObject, keys: readonly Uint8Array[]): boolean {
  const text = canonicalJsonLoose(unsignedForm(signed))
  const byServer = Object.values(objectMember(signed, 'signatures') ?? {}).filter(isObject)
  const ofEd25519 = byServer.flatMap(Object.entries).filter(([id]) => id.startsWith('ed25519:'))
  return ofEd25519
    .slice(0, MAX_SIGNATURES)
    .some(([, signature]) => typeof signature === 'string' && keys.some((key) => verifyBytes(text, signature, key)))
}
