// SPDX-License-Identifier: Apache-2.0
import { objectMember, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { withSignature } from '@myelin/matrix/signatures'
import { isSignedBy } from '@myelin/rules/events/signing'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { recommend } from '../../policy/recommend.ts'
import type { Recommender } from '../../policy/recommend.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { POLICY_KEY_ID } from '../../room-state/policy-server-of.ts'
import type { PolicyServer } from '../../room-state/policy-server-of.ts'

const TIMEOUT_MS = 20_000

/** The part of the runtime that policy server signatures take; this server may be the policy server itself. */
export type PolicyServerNeeds = Recommender & Pick<Runtime, 'remote'>

/**
 * Returns whether a room's policy server signed an event, or the event needs no such signature.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures
 */
export function isRecommended(pdu: Pdu, version: RoomVersion, policy: PolicyServer): boolean {
  if (pdu.type === 'm.room.policy' && pdu.stateKey === '') return true
  return policy.publicKey.length === 32 && isSignedBy(pdu, version, policy.name, POLICY_KEY_ID, policy.publicKey)
}

/**
 * Returns the event with the policy server's signature added; all other signatures stay, also those of the same
 * server. Throws the policy server's refusal: a `RemoteError`, or a `MatrixError` where this server is the policy
 * server.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#asking-for-a-policy-server-signature-on-an-event
 */
export async function askToSign(
  rt: PolicyServerNeeds,
  pdu: Pdu,
  version: RoomVersion,
  policy: PolicyServer,
): Promise<Pdu> {
  const signed = policy.name === rt.serverName ? await recommend(rt, pdu, version) : await asked(rt, pdu, policy)
  if (isRecommended(signed, version, policy)) return signed
  throw new RemoteError('malformed', `${policy.name} signed with another key than the room names`)
}

async function asked(rt: PolicyServerNeeds, pdu: Pdu, policy: PolicyServer): Promise<Pdu> {
  const target = federationPath(['policy', 'v1', 'sign'])
  const answer = await rt.remote.call(policy.name, {
    method: 'POST',
    target,
    body: pdu.json,
    isLoggedByCaller: true,
    timeoutMs: TIMEOUT_MS,
  })
  const signature = stringMember(objectMember(answer, policy.name) ?? {}, POLICY_KEY_ID)
  if (signature === undefined) throw new RemoteError('malformed', `${policy.name} did not sign the event`)
  return Object.freeze({ ...pdu, json: withSignature(pdu.json, policy.name, POLICY_KEY_ID, signature) })
}
