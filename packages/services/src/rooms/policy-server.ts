// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { ErrorCode } from '@myelin/matrix/errors'
import { ERROR_STATUS } from '@myelin/matrix/errors'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { withSignature } from '@myelin/matrix/signatures'
import { isSignedBy } from '@myelin/rules/events/signing'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Tx } from '@myelin/storage/engine/database'
import { recommend } from '../policy/recommend.ts'
import type { Recommender } from '../policy/recommend.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { writeResolved } from './intake/write-resolved.ts'
import { POLICY_KEY_ID } from '../room-state/policy-server-of.ts'
import type { PolicyServer } from '../room-state/policy-server-of.ts'

const TIMEOUT_MS = 20_000

/** What it takes to have events signed by policy servers: one of them may be ourselves. */
export type Petitioner = Recommender & Pick<Runtime, 'remote'>

/**
 * Whether an event is recommended for the room: the policy server signed it, or does not have to.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures
 */
export function isRecommended(pdu: Pdu, version: RoomVersion, policy: PolicyServer): boolean {
  if (pdu.type === 'm.room.policy' && pdu.stateKey === '') return true
  return policy.publicKey.length === 32 && isSignedBy(pdu, version, policy.name, POLICY_KEY_ID, policy.publicKey)
}

/**
 * The event with the policy server's signature, or the policy server's own refusal: a `RemoteError`, or a `MatrixError` where
 * we are that server and nobody else is asked. Other signatures stay, also those of the same server.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#asking-for-a-policy-server-signature-on-an-event
 */
export async function askToSign(rt: Petitioner, pdu: Pdu, version: RoomVersion, policy: PolicyServer): Promise<Pdu> {
  const signed = policy.name === rt.serverName ? await recommend(rt, pdu, version) : await asked(rt, pdu, policy)
  if (isRecommended(signed, version, policy)) return signed
  throw new RemoteError('malformed', `${policy.name} signed with another key than the room names`)
}

async function asked(rt: Petitioner, pdu: Pdu, policy: PolicyServer): Promise<Pdu> {
  const target = federationPath(['policy', 'v1', 'sign'])
  const answer = await rt.remote.call(policy.name, { method: 'POST', target, body: pdu.json, timeoutMs: TIMEOUT_MS })
  const signature = stringMember(objectMember(answer, policy.name) ?? {}, POLICY_KEY_ID)
  if (signature === undefined) throw new RemoteError('malformed', `${policy.name} did not sign the event`)
  return Object.freeze({ ...pdu, json: withSignature(pdu.json, policy.name, POLICY_KEY_ID, signature) })
}

/** An event of ours that its room's policy server must see before it is sent; what was done so far is taken back. */
export class NeedsRecommendation extends Error {
  override readonly name = 'NeedsRecommendation'
  readonly pdu: Pdu
  readonly version: RoomVersion
  readonly policy: PolicyServer

  constructor(pdu: Pdu, version: RoomVersion, policy: PolicyServer) {
    super('the event needs the signature of a policy server')
    this.pdu = pdu
    this.version = version
    this.policy = policy
  }
}

/** So many events of one unit may need a signature. */
const MAX_ROUNDS = 50

/**
 * Runs a unit that sends events of ours, as `writeResolved` does. Where a room has a policy server, the unit is taken back, the server asked
 * outside of it, and the unit run again with the event as it was signed; a refusal reaches our client as it was said.
 */
export async function writeEvents<Maker extends Petitioner, T>(
  rt: Maker,
  work: (tx: Tx, maker: Maker & { readonly recommended?: readonly Pdu[] }) => Promise<T>,
): Promise<T> {
  const recommended: Pdu[] = []
  for (let round = 0; ; round++) {
    try {
      const maker = round === 0 ? rt : { ...rt, recommended }
      return await writeResolved(rt, (tx) => work(tx, maker))
    } catch (cause) {
      if (!(cause instanceof NeedsRecommendation) || round >= MAX_ROUNDS) throw cause
      recommended.push(await recommendation(rt, cause))
    }
  }
}

async function recommendation(rt: Petitioner, needed: NeedsRecommendation): Promise<Pdu> {
  try {
    return await askToSign(rt, needed.pdu, needed.version, needed.policy)
  } catch (cause) {
    throw cause instanceof RemoteError ? refusalOf(cause) : cause
  }
}

/** In the policy server's words, but never one of the codes that would make a client log out. */
function refusalOf(cause: RemoteError): MatrixError {
  const { status, errcode, body } = cause
  const isSaid = status !== undefined && status >= 400 && status < 500 && status !== 401
  const code =
    isSaid && errcode !== undefined && Object.hasOwn(ERROR_STATUS, errcode) ? (errcode as ErrorCode) : 'M_FORBIDDEN'
  const text = stringMember(body, 'error') ?? 'the policy server of the room did not recommend this event'
  const waitMs = member(body ?? {}, 'retry_after_ms')
  const extra = typeof waitMs === 'number' ? { retry_after_ms: waitMs } : {}
  return new MatrixError(code, text, { cause, extra, ...(isSaid ? { status } : {}) })
}
