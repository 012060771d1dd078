// SPDX-License-Identifier: Apache-2.0
import { RawJson } from '@myelin/kit/raw-json'
import type { EventId, UserId } from '@myelin/matrix/ids'
import { isObject, member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { STICKY_MEMBER, stickyDurationOf } from '@myelin/rules/events/sticky'
import { redactPdu } from '@myelin/rules/redaction'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'

/** The `unsigned` members of an event, which depend on the requester. */
export interface Unsigned {
  readonly age: number
  readonly transactionId?: string | undefined
  /** The ID under which the sender scheduled the event (MSC4140). */
  readonly delayId?: string | undefined
  readonly membership?: string | undefined
  /** The time in ms for which the event is still sticky (MSC4354). */
  readonly stickyTtlMs?: number | undefined
  readonly replaces?:
    | { readonly id: EventId; readonly content: JsonObject | undefined; readonly sender: UserId }
    | undefined
  readonly redactedBecause?: RawJson | undefined
  readonly relations?: RawJson | undefined
}

/**
 * The format of an event: with or without its room ID (`/sync`), for clients or servers, with some fields only, or
 * redacted.
 */
export interface EventFormat {
  readonly hasRoomId: boolean
  readonly isPruned?: boolean
  /** A redacted event is shown with its content. */
  readonly isUnredacted?: boolean
  readonly isFederation?: boolean
  readonly fields?: readonly string[] | undefined
}

/**
 * Returns an event in the client format. Its constant part is encoded once and shared by all requesters.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-event-format
 */
export function clientEvent(
  event: StoredEvent,
  version: RoomVersion,
  unsigned: Unsigned,
  format: EventFormat,
): RawJson {
  if (format.isFederation || format.fields)
    return new RawJson(JSON.stringify(selected(event, version, unsigned, format)))
  const body = isPruned(event, format)
    ? encoded(redactPdu(event.pdu, version))
    : (event.kept.clientJson ??= encoded(event.pdu))
  const room = format.hasRoomId ? `,"room_id":${JSON.stringify(event.pdu.roomId)}` : ''
  return new RawJson(`${body}${room},"unsigned":${unsignedText(unsigned)}}`)
}

const isPruned = (event: StoredEvent, format: EventFormat) =>
  (event.redactedBy !== null && !format.isUnredacted) || format.isPruned === true

/** Returns the client format without room ID, `unsigned` and closing brace. */
function encoded(pdu: Pdu): string {
  return JSON.stringify(clientForm(pdu)).slice(0, -1)
}

function clientForm(pdu: Pdu): Record<string, Json> {
  const form: Record<string, Json> = {
    type: pdu.type,
    sender: pdu.sender,
    content: pdu.content,
    event_id: pdu.id,
    origin_server_ts: pdu.originServerTs,
  }
  if (pdu.stateKey !== undefined) form['state_key'] = pdu.stateKey
  if (stickyDurationOf(pdu) !== undefined) form[STICKY_MEMBER] = pdu.json[STICKY_MEMBER] ?? {}
  // `redacts` stands in both places, in every room version.
  if (pdu.redacts !== undefined) {
    form['redacts'] = pdu.redacts
    form['content'] = { ...pdu.content, redacts: pdu.redacts }
  }
  return form
}

function unsignedText({
  age,
  transactionId,
  delayId,
  membership,
  stickyTtlMs,
  replaces,
  redactedBecause,
  relations,
}: Unsigned): string {
  let text = `{"age":${age}`
  if (membership !== undefined) text += `,"membership":${JSON.stringify(membership)}`
  if (transactionId !== undefined) text += `,"transaction_id":${JSON.stringify(transactionId)}`
  if (delayId !== undefined) text += `,"org.matrix.msc4140.delay_id":${JSON.stringify(delayId)}`
  if (stickyTtlMs !== undefined) text += `,"msc4354_sticky_duration_ttl_ms":${stickyTtlMs}`
  if (replaces) {
    text += `,"replaces_state":${JSON.stringify(replaces.id)}`
    if (replaces.content) {
      text += `,"prev_content":${JSON.stringify(replaces.content)},"prev_sender":${JSON.stringify(replaces.sender)}`
    }
  }
  if (redactedBecause) text += `,"redacted_because":${redactedBecause.text}`
  if (relations) text += `,"m.relations":${relations.text}`
  return `${text}}`
}

function selected(event: StoredEvent, version: RoomVersion, unsigned: Unsigned, format: EventFormat): JsonObject {
  const pdu = isPruned(event, format) ? redactPdu(event.pdu, version) : event.pdu
  const form: Record<string, Json> = format.isFederation ? { ...pdu.json, event_id: pdu.id } : clientForm(pdu)
  if (format.hasRoomId) form['room_id'] = pdu.roomId
  form['unsigned'] = JSON.parse(unsignedText(unsigned)) as Json
  return format.fields ? onlyFields(form, format.fields) : form
}

/** Returns the members named by dotted paths; `\.` and `\\` are a dot and a backslash in a name. */
function onlyFields(form: JsonObject, paths: readonly string[]): JsonObject {
  const kept: Record<string, Json> = {}
  for (const path of paths) keepPath(form, kept, namesIn(path))
  return kept
}

function namesIn(path: string): string[] {
  return (path.match(/(?:\\.|[^.\\])+/g) ?? []).map((name) => name.replace(/\\([.\\])/g, '$1'))
}

function keepPath(from: JsonObject, into: Record<string, Json>, [name, ...rest]: readonly string[]): void {
  const value = name === undefined ? undefined : member(from, name)
  if (name === undefined || value === undefined || name === '__proto__') return
  if (rest.length === 0) {
    into[name] = value
    return
  }
  if (!isObject(value)) return
  const part = { ...(isObject(into[name]) ? into[name] : {}) }
  keepPath(value, part, rest)
  into[name] = part
}
