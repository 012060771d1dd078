// SPDX-License-Identifier: Apache-2.0
import { decodeBase64 } from '@myelin/matrix/base64'
import { MatrixError } from '@myelin/matrix/errors'
import type { ErrorCode } from '@myelin/matrix/errors'
import { ERROR_STATUS } from '@myelin/matrix/errors'
import { isServerName } from '@myelin/matrix/ids'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { objectMember, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { withSignature } from '@myelin/matrix/signatures'
import { isSignedBy } from '@myelin/rules/events/signing'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Read, Tx } from '@myelin/storage/database'
import type { Runtime } from '../runtime.ts'
import { writeResolved } from './intake/write-resolved.ts'
import { serversSaidToBeIn } from './partial/servers-said.ts'
import { loadStateEvent } from './load-auth-state.ts'

/** The server that a room lets look at its events, and the key it signs those with that it recommends. */
export interface PolicyServer {
  readonly name: ServerName
  readonly publicKey: Uint8Array
}

const KEY_ID = 'ed25519:policy_server'
const TIMEOUT_MS = 20_000

/**
 * The policy server a room uses, if it does.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#determining-if-a-policy-server-is-enabled-in-a-room
 */
export async function policyServerOf(
  db: Read,
  room: { readonly id: RoomId; readonly stateRoot: number },
): Promise<PolicyServer | undefined> {
  const event = await loadStateEvent(db, room.stateRoot, 'm.room.policy')
  if (!event) return undefined
  const name = stringMember(event.content, 'via')
  const encoded = stringMember(objectMember(event.content, 'public_keys') ?? {}, 'ed25519')
  const publicKey = encoded === undefined ? undefined : decodeBase64(encoded)
  if (!isServerName(name) || encoded === undefined) return undefined
  // A key that is none leaves the server in charge, and nothing that satisfies it.
  const isIn = (await serversSaidToBeIn(db, room.id)).has(name)
  return isIn ? { name, publicKey: publicKey ?? new Uint8Array() } : undefined
}

/**
 * Whether an event is recommended for the room: the policy server signed it, or does not have to.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures
 */
export function isRecommended(pdu: Pdu, version: RoomVersion, policy: PolicyServer): boolean {
  if (pdu.type === 'm.room.policy' && pdu.stateKey === '') return true
  return policy.publicKey.length === 32 && isSignedBy(pdu, version, policy.name, KEY_ID, policy.publicKey)
}

/**
 * The event with the policy server's signature, or the policy server's own refusal as a `RemoteError`. Other signatures
 * stay, also those of the same server.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#asking-for-a-policy-server-signature-on-an-event
 */
export async function askToSign(
  rt: Pick<Runtime, 'remote'>,
  pdu: Pdu,
  version: RoomVersion,
  policy: PolicyServer,
): Promise<Pdu> {
  const target = federationPath(['policy', 'v1', 'sign'])
  const answer = await rt.remote.call(policy.name, { method: 'POST', target, body: pdu.json, timeoutMs: TIMEOUT_MS })
  const signature = stringMember(objectMember(answer, policy.name) ?? {}, KEY_ID)
  if (signature === undefined) throw new RemoteError('malformed', `${policy.name} did not sign the event`)
  const signed = Object.freeze({ ...pdu, json: withSignature(pdu.json, policy.name, KEY_ID, signature) })
  if (isRecommended(signed, version, policy)) return signed
  throw new RemoteError('malformed', `${policy.name} signed with another key than the room names`)
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
export async function writeEvents<Maker extends Pick<Runtime, 'db' | 'remote'>, T>(
  rt: Maker,
  work: (tx: Tx, maker: Maker & { readonly recommended: readonly Pdu[] }) => Promise<T>,
): Promise<T> {
  const recommended: Pdu[] = []
  for (let round = 0; ; round++) {
    try {
      return await writeResolved(rt, (tx) => work(tx, { ...rt, recommended }))
    } catch (cause) {
      if (!(cause instanceof NeedsRecommendation) || round >= MAX_ROUNDS) throw cause
      recommended.push(await recommendation(rt, cause))
    }
  }
}

async function recommendation(rt: Pick<Runtime, 'remote'>, needed: NeedsRecommendation): Promise<Pdu> {
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
  return new MatrixError(code, text, { cause, ...(isSaid ? { status } : {}) })
}
