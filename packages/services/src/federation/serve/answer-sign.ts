// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomId, serverOf } from '@myelin/matrix/ids'
import type { ServerName } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { signatureOf } from '@myelin/matrix/signatures'
import { contentHashMatches } from '@myelin/rules/events/content-hash'
import { parsePdu } from '@myelin/rules/events/parse-pdu'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { isServerAllowed } from '@myelin/rules/server-acl'
import { roomById } from '@myelin/storage/rooms/rooms'
import { checkEventSignatures } from '../../peers/trust/check-signatures.ts'
import { shownContent } from '../../room-state/shown-state.ts'
import type { Checker } from '../../rooms/intake/check-incoming.ts'
import { POLICY_KEY_ID, policyServerOf } from '../../room-state/policy-server-of.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import { recommend } from '../../policy/recommend.ts'

/** A room whose events this server signs, with its server ACL. */
interface ServedRoom {
  readonly version: RoomVersion
  readonly acl: JsonObject | undefined
}

/**
 * Returns this server's signature as a policy server: `{ SERVER: { 'ed25519:policy_server': signature } }`.
 *
 * An event is signed only if its room names this server and its key as policy server, and its sender's server has
 * signed it. Refusals: 404 M_UNRECOGNIZED where this server is no policy server, 404 M_NOT_FOUND where it is not that
 * of the room, 403 M_FORBIDDEN where the ACL denies the requesting server, 400 M_BAD_JSON, 413 M_TOO_LARGE, 400
 * M_FORBIDDEN where the event is refused, 429 M_LIMIT_EXCEEDED.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixpolicyv1sign
 */
export async function answerSign(rt: Checker, origin: ServerName, json: JsonObject): Promise<JsonObject> {
  const room = await servedRoom(rt, json)
  if (!isServerAllowed(origin, room.acl)) {
    throw new MatrixError('M_FORBIDDEN', 'the server ACL of the room denies your server')
  }
  const pdu = eventOf(json, room.version)
  await requireSound(rt, pdu, room)
  const signed = await recommend(rt, pdu, room.version, origin)
  const signature = signatureOf(signed.json, rt.serverName, POLICY_KEY_ID)
  return { [rt.serverName]: { [POLICY_KEY_ID]: signature ?? '' } }
}

async function servedRoom(rt: Checker, json: JsonObject): Promise<ServedRoom> {
  const key = rt.otherKeys.policy
  if (!key) throw new MatrixError('M_UNRECOGNIZED', 'this server is not a policy server')
  const id = member(json, 'room_id')
  if (!isRoomId(id)) throw new MatrixError('M_BAD_JSON', '`room_id` must be a room ID')
  const room = await roomById(rt.db.read, id)
  const policy = room && (await policyServerOf(rt.db.read, room))
  const isOurs = policy?.name === rt.serverName && Buffer.from(policy.publicKey).equals(key.publicKey)
  if (!room || !isOurs) {
    throw new MatrixError('M_NOT_FOUND', 'this server is not the policy server of the room')
  }
  const version = roomVersionOf(room.roomVersion)
  const acl = await shownContent(rt.db.read, { stateRoot: room.stateRoot, version }, 'm.room.server_acl')
  return { version, acl }
}

function eventOf(json: JsonObject, version: RoomVersion): Pdu {
  try {
    return parsePdu(json, version)
  } catch (cause) {
    if (!(cause instanceof MatrixError) || cause.code === 'M_TOO_LARGE') throw cause
    throw new MatrixError('M_BAD_JSON', cause.message, { cause })
  }
}

/** Refuses an event without valid signatures, with a wrong content hash, or of a sender whose server the ACL denies. */
async function requireSound(rt: Checker, pdu: Pdu, { version, acl }: ServedRoom): Promise<void> {
  if (pdu.type === 'm.room.policy' && pdu.stateKey === '') throw refused('this event needs no signature')
  if (!contentHashMatches(pdu.json)) throw refused('the content hash of the event is wrong')
  if (!isServerAllowed(serverOf(pdu.sender), acl)) throw refused("the sender's server is not allowed in that room")
  const sound = await checkEventSignatures(rt, version, [pdu])
  if (!sound.has(pdu.id)) throw refused('a signature of the event is missing or wrong')
}

function refused(message: string): MatrixError {
  return new MatrixError('M_FORBIDDEN', message, { status: 400 })
}
