// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { type EventId, fitsBytes, type RoomId, type ServerName, type UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { sha256Base64, signBytes } from '@myelin/matrix/signatures'
import type { RoomVersion } from '../room-versions.ts'
import {
  type CanonicalMember,
  canonicalMember,
  canonicalMembers,
  contentHashForm,
  joinMembers,
  signedForm,
} from './canonical-members.ts'
import { hashedEventId, roomIdOfCreate } from './event-id.ts'
import { FIELD_TOO_LONG, MAX_PDU_BYTES } from './parse-pdu.ts'
import type { Signer } from './signing.ts'
import { STICKY_MEMBER, stickyValue } from './sticky.ts'

/** The draft of an event. */
export interface PduDraft {
  /** Absent only for a create event of room version 12 or later, whose hash is the room ID. */
  readonly roomId?: RoomId
  readonly sender: UserId
  readonly type: string
  readonly stateKey?: string
  readonly content: JsonObject
  readonly prevEvents: readonly EventId[]
  readonly authEvents: readonly EventId[]
  /** Reference hashes of the named events, which room versions 1 and 2 write beside their IDs. */
  readonly hashes?: ReadonlyMap<EventId, string | undefined>
  readonly depth: number
  readonly originServerTs: number
  readonly redacts?: EventId
  /** The time in ms for which the event is sticky. */
  readonly stickyMs?: number
  /** The origin server, where the API that carries the event expects it. */
  readonly origin?: ServerName
}

/**
 * Builds a complete event: hashed, signed, with its ID. Throws `M_BAD_JSON` or `M_TOO_LARGE` for an invalid draft.
 *
 * Room versions 1 and 2 take their event ID from `chooseId`.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#adding-hashes-and-signatures-to-outgoing-events
 */
export function buildPdu(draft: PduDraft, version: RoomVersion, signer: Signer, chooseId?: () => string): Pdu {
  checkLengths(draft)
  const chosenId = version.eventIds === 'chosen by server' ? chosenBy(chooseId) : undefined
  const body = bodyOf(draft, version, chosenId)
  const members = encode(body, version)

  const hashes = { sha256: sha256Base64(contentHashForm(members)) }
  const hashed = withMember(members, canonicalMember('hashes', hashes, version))
  const signed = signedForm(hashed, body, version)
  const signatures = { [signer.serverName]: { [signer.key.id]: signBytes(signed, signer.key) } }

  const whole = joinMembers(withMember(hashed, canonicalMember('signatures', signatures, version)))
  if (!fitsBytes(whole, MAX_PDU_BYTES)) throw new MatrixError('M_TOO_LARGE', 'an event must have at most 65536 bytes')
  const id = hashedEventId(signed, version) ?? (chosenId as EventId)
  return pduOf(draft, id, bodyOf(draft, version, chosenId, { hashes, signatures }))
}

type Seals = { readonly hashes?: JsonObject; readonly signatures?: JsonObject }

/** Returns the body so far, its members in canonical order, so that encoding it sorts nothing. */
function bodyOf(draft: PduDraft, version: RoomVersion, id: string | undefined, seals: Seals = {}): JsonObject {
  const { origin, redacts, roomId, stateKey } = draft
  const isInContent = version.redactsInContent && redacts !== undefined
  const body: Record<string, Json> = {
    auth_events: referencesOf(draft.authEvents, draft, version),
    content: isInContent ? { ...draft.content, redacts } : draft.content,
    depth: draft.depth,
  }
  if (id !== undefined) body['event_id'] = id
  if (seals.hashes) body['hashes'] = seals.hashes
  if (draft.stickyMs !== undefined) body[STICKY_MEMBER] = stickyValue(draft.stickyMs)
  if (origin !== undefined) body['origin'] = origin
  body['origin_server_ts'] = draft.originServerTs
  body['prev_events'] = referencesOf(draft.prevEvents, draft, version)
  if (redacts !== undefined && !isInContent) body['redacts'] = redacts
  if (roomId !== undefined) body['room_id'] = roomId
  body['sender'] = draft.sender
  if (seals.signatures) body['signatures'] = seals.signatures
  if (stateKey !== undefined) body['state_key'] = stateKey
  body['type'] = draft.type
  return body
}

function chosenBy(chooseId: (() => string) | undefined): string {
  if (!chooseId) throw new TypeError('this room version needs `chooseId`')
  return chooseId()
}

function referencesOf(ids: readonly EventId[], draft: PduDraft, version: RoomVersion): Json {
  if (version.eventIds !== 'chosen by server') return ids
  return ids.map((id) => {
    if (!draft.hashes?.has(id)) throw new TypeError(`this room version needs the reference hash of ${id}`)
    const sha256 = draft.hashes.get(id)
    return [id, sha256 === undefined ? {} : { sha256 }]
  })
}

function checkLengths({ type, stateKey = '', sender }: PduDraft): void {
  if (fitsBytes(type, 255) && fitsBytes(stateKey, 255) && fitsBytes(sender, 255)) return
  throw new MatrixError('M_TOO_LARGE', FIELD_TOO_LONG)
}

function encode(body: JsonObject, version: RoomVersion): CanonicalMember[] {
  try {
    return canonicalMembers(body, version)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new MatrixError('M_BAD_JSON', 'numbers must be integers within ±(2^53 - 1)', { cause })
  }
}

/** Returns an event with one more member. Keys of events are ASCII, so the plain order is canonical. */
function withMember(members: readonly CanonicalMember[], added: CanonicalMember): CanonicalMember[] {
  const at = members.findIndex(({ key }) => key > added.key)
  return members.toSpliced(at === -1 ? members.length : at, 0, added)
}

function pduOf(draft: PduDraft, id: EventId, json: JsonObject): Pdu {
  const { roomId, sender, type, stateKey, prevEvents, authEvents, depth, originServerTs, redacts } = draft
  return Object.freeze({
    id,
    roomId: roomId ?? roomIdOfCreate(id),
    sender,
    type,
    ...(stateKey === undefined ? {} : { stateKey }),
    content: json['content'] as JsonObject,
    prevEvents,
    authEvents,
    depth,
    originServerTs,
    ...(redacts === undefined ? {} : { redacts }),
    json,
  })
}
