// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { matchGlob } from '@myelin/matrix/glob'
import { fitsBytes, serverOf } from '@myelin/matrix/ids'
import type { ServerName } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { canonicalMembers, joinMembers } from '@myelin/rules/events/canonical-members'
import { MAX_PDU_BYTES } from '@myelin/rules/events/parse-pdu'
import { addSignature } from '@myelin/rules/events/signing'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Tx } from '@myelin/storage/engine/database'
import { policyRuling, putPolicyEntry, putPolicyRuling } from '@myelin/storage/rooms/policy-rulings'
import type { PolicyRuling } from '@myelin/storage/rooms/policy-rulings'
import { roomById } from '@myelin/storage/rooms/rooms'
import { EMPTY_STATE } from '@myelin/storage/schema/state-trie'
import type { Runtime } from '../runtime/runtime.ts'
import { isOwnLeave, refusalOf, standingOf } from './refusal.ts'
import type { Asked, Standing } from './refusal.ts'

/** The part of the runtime that judging events as a policy server takes. */
export type Recommender = Pick<Runtime, 'db' | 'clock' | 'config' | 'limits' | 'otherKeys' | 'serverName'>

/**
 * Returns the event with this server's signature as its room's policy server. Throws `M_FORBIDDEN` with status 400,
 * `M_TOO_LARGE`, or `M_LIMIT_EXCEEDED` to the server that is about to send the event. The caller has checked the
 * event's format, hash and signatures.
 *
 * The first ruling stands for later requests, so that all servers get the same: they may all request one for an event
 * that arrived without a signature.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#policy-servers
 */
export async function recommend(
  rt: Recommender,
  pdu: Pdu,
  version: RoomVersion,
  asker: ServerName = rt.serverName,
): Promise<Pdu> {
  const key = rt.otherKeys.policy
  if (!key) throw new MatrixError('M_UNRECOGNIZED', 'this server is not a policy server')
  if (rt.config.policyServer.rooms?.some((glob) => matchGlob(glob, pdu.roomId)) === false) {
    throw new MatrixError('M_NOT_FOUND', 'this server is not the policy server of the room')
  }
  const signed = addSignature(pdu, version, { serverName: rt.serverName, key })
  if (!fitsBytes(joinMembers(canonicalMembers(signed.json, version)), MAX_PDU_BYTES)) {
    throw new MatrixError('M_TOO_LARGE', 'with the signature of the policy server, the event has more than 65536 bytes')
  }
  // A room that a local user is creating is not stored yet.
  const stateRoot = (await roomById(rt.db.read, pdu.roomId))?.stateRoot ?? EMPTY_STATE
  const asked = { pdu, version, stateRoot }
  const ruling = (await policyRuling(rt.db.read, pdu.id)) ?? (await rule(rt, asked, asker))
  if (ruling.refusal === undefined) return signed
  throw new MatrixError('M_FORBIDDEN', ruling.refusal, { status: 400 })
}

async function rule(rt: Recommender, asked: Asked, asker: ServerName): Promise<PolicyRuling> {
  const standing = await standingOf(rt, asked)
  const refusal = await refusalOf(rt, asked, standing)
  return rt.db.write((tx) => settle(tx, rt, { ...asked, standing, refusal, asker }))
}

/** Stores the ruling, unless there is an earlier one. The rate limit is counted here, so that no event counts twice. */
async function settle(
  tx: Tx,
  rt: Recommender,
  found: Asked & { readonly standing: Standing; readonly refusal: string | undefined; readonly asker: ServerName },
): Promise<PolicyRuling> {
  const { pdu, standing, asker } = found
  const earlier = await policyRuling(tx, pdu.id)
  if (earlier) return earlier
  const refusal = found.refusal ?? (standing.isExempt || isOwnLeave(pdu) ? undefined : paceRefusal(rt, pdu, asker))
  const ruledTs = rt.clock.now()
  if (refusal === undefined && !standing.isJoined && isWayIn(pdu)) {
    await putPolicyEntry(tx, pdu.roomId, pdu.sender, ruledTs)
  }
  return putPolicyRuling(tx, pdu.id, { refusal, ruledTs })
}

/**
 * Returns the refusal of an event above the sender's rate. The sender's own server gets 429 instead,
 * because it has not sent the event yet.
 */
function paceRefusal(rt: Recommender, pdu: Pdu, asker: ServerName): string | undefined {
  try {
    rt.limits.take('policySender', pdu.sender)
    return undefined
  } catch (cause) {
    if (!(cause instanceof MatrixError) || asker === serverOf(pdu.sender)) throw cause
    return 'the sender has exceeded the rate limit of the policy server'
  }
}

function isWayIn({ type, stateKey, sender, content }: Pdu): boolean {
  return type === 'm.room.member' && stateKey === sender && stringMember(content, 'membership') === 'join'
}
