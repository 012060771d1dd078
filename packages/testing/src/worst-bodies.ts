// SPDX-License-Identifier: Apache-2.0

/** A body that is expensive to handle. */
export interface WorstBody {
  readonly name: string
  readonly text: string
}

/**
 * Returns the most expensive bodies of at most `length` bytes: many members, many entries, deep nesting, long strings, many
 * escapes, and valid bodies with as many entries as the operation allows.
 */
export function worstBodies(operationId: string, length: number): WorstBody[] {
  const inside = length - 100
  const bodies = [
    ['members', `{${fill((at) => `"k${at}":0`, inside)}}`],
    ['short members', `{${fill((at) => `"${at.toString(36)}":0`, inside)}}`],
    ['numbers', `{"a":[${fill(() => '0', inside)}]}`],
    ['fractions', `{"a":[${fill(() => '0.5', inside)}]}`],
    ['empty lists', `{"a":[${fill(() => '[]', inside)}]}`],
    ['empty objects', `{"a":[${fill(() => '{}', inside)}]}`],
    ['nested lists', `{"a":[${fill(() => '['.repeat(90) + ']'.repeat(90), inside)}]}`],
    ['too deep', `{"a":${'['.repeat(inside / 2)}${']'.repeat(inside / 2)}}`],
    ['unclosed', '{"a":'.repeat(inside / 5)],
    ['one string', `{"a":"${'a'.repeat(Math.max(0, inside))}"}`],
    ['escapes', `{"a":"${'\\u0041'.repeat(inside / 6)}"}`],
    ['half characters', `{"a":"${'\\ud800'.repeat(inside / 6)}"}`],
    ['space', `${' '.repeat(inside)}{}`],
    ...(VALID[operationId]?.(inside) ?? []).map((text, at) => [`valid ${at + 1}`, text] as const),
  ] as const
  return bodies.map(([name, text]) => ({ name, text }))
}

const OWN = '@alice:one.test'
const user = (at: number) => `"@u${at.toString(36)}:one.test"`
const session = '{"first_message_index":0,"forwarded_count":0,"is_verified":true,"session_data":{}}'

/** The longest valid bodies of some operations. */
const VALID: Readonly<Record<string, (length: number) => readonly string[]>> = {
  queryKeys: (length) => [
    `{"device_keys":{${fill((at) => `${user(at)}:[]`, length, 10_000)}}}`,
    `{"device_keys":{"${OWN}":[${fill((at) => `"d${at}"`, length)}]}}`,
  ],
  claimKeys: (length) => [
    `{"one_time_keys":{${fill((at) => `${user(at)}:{"d":"signed_curve25519"}`, length, 10_000)}}}`,
    `{"one_time_keys":{"${OWN}":{${fill((at) => `"d${at}":"signed_curve25519"`, length, 10_000)}}}}`,
  ],
  sendToDevice: (length) => [
    `{"messages":{${fill((at) => `${user(at)}:{"*":{}}`, length, 10_000)}}}`,
    `{"messages":{"${OWN}":{${fill((at) => `"d${at}":{}`, length, 10_000)}}}}`,
    `{"messages":{"${OWN}":{"*":{"a":[${fill(() => '0', length)}]}}}}`,
  ],
  uploadKeys: (length) => [
    `{"one_time_keys":{${fill((at) => `"signed_curve25519:k${at}":{"key":"a","signatures":{}}`, length, 1000)}}}`,
    `{"fallback_keys":{"signed_curve25519:k":{"key":"a","signatures":{},"a":[${fill(() => '0', length)}]}}}`,
  ],
  uploadCrossSigningSignatures: (length) => [
    `{"${OWN}":{${fill((at) => `"d${at}":{}`, length, 10_000)}}}`,
    `{${fill((at) => `${user(at)}:{"d":{}}`, length, 10_000)}}`,
  ],
  putRoomKeys: (length) => [
    `{"rooms":{"!r:a":{"sessions":{${fill((at) => `"s${at}":${session}`, length, 10_000)}}}}}`,
    `{"rooms":{${fill((at) => `"!r${at}:a":{"sessions":{"s":${session}}}`, length, 10_000)}}}`,
  ],
  putRoomKeysByRoomId: (length) => [`{"sessions":{${fill((at) => `"s${at}":${session}`, length, 10_000)}}}`],
  createRoom: (length) => [
    `{"invite":[${fill(user, length, 1000)}]}`,
    `{"initial_state":[${fill((at) => `{"type":"a.b","state_key":"${at}","content":{}}`, length, 1000)}]}`,
    `{"initial_state":[${fill((at) => `{"type":"a.b","state_key":"${at}","content":{"a":"${'x'.repeat(50_000)}"}}`, length)}]}`,
    `{"invite":[${fill(user, length / 2, 1000)}],"initial_state":[${fill((at) => `{"type":"a.b","state_key":"${at}","content":{}}`, length / 2, 1000)}]}`,
  ],
  defineFilter: (length) => [
    `{"room":{"rooms":[${fill((at) => `"!${at}:a"`, length)}],"timeline":{"senders":[]}}}`,
    `{"room":{"timeline":{"types":[${fill((at) => `"*${at}*"`, length)}]}}}`,
  ],
  search: (length) => [
    `{"search_categories":{"room_events":{"search_term":"${'ab '.repeat(32)}","filter":{"senders":[${fill(user, length - 200)}]}}}}`,
    `{"search_categories":{"room_events":{"search_term":"${'"'.repeat(1_000).replaceAll('"', '\\"')}","filter":{"rooms":[${fill((at) => `"!${at}:a"`, length - 3_000)}]}}}}`,
    `{"search_categories":{"room_events":{"search_term":"${'猫'.repeat(1_024)}","filter":{"types":[${fill((at) => `"*${at}*"`, length - 2_000, 100)}]}}}}`,
  ],
  deleteDevices: (length) => [`{"devices":[${fill((at) => `"d${at}"`, length, 1000)}]}`],
  bulkPerspectivesKeyQuery: (length) => [`{"server_keys":{${fill((at) => `"s${at}.test":{}`, length)}}}`],
  queryUserEncryptionKeys: (length) => [`{"device_keys":{${fill((at) => `${user(at)}:[]`, length, 10_000)}}}`],
  claimUserEncryptionKeys: (length) => [
    `{"one_time_keys":{${fill((at) => `${user(at)}:{"d":"signed_curve25519"}`, length, 10_000)}}}`,
  ],
  getMissingPreviousEvents: (length) => [
    `{"earliest_events":[],"latest_events":[${fill((at) => `"$${at}"`, length)}]}`,
  ],
  onBindThirdPartyIdentifier: (length) => [`{"mxid":"${OWN}","invites":[${fill(() => '{}', length)}]}`],
  sendTransaction: (length) => [
    `{"pdus":[${fill(() => '{}', length)}]}`,
    `{"edus":[${fill(() => '{}', length)}]}`,
    `{"edus":[{"edu_type":"m.direct_to_device","content":{"sender":"@a:far.test","type":"a","message_id":"a","messages":{${fill((at) => `${user(at)}:{"*":{}}`, length, 60_000)}}}}]}`,
    `{"edus":[{"edu_type":"m.receipt","content":{"!r:a":{"m.read":{${fill((at) => `"@u${at}:far.test":{"event_ids":["$a"],"data":{}}`, length, 60_000)}}}}}]}`,
  ],
}

/** Returns as many parts as fit into a length, separated by commas. */
function fill(part: (at: number) => string, length: number, count = Number.POSITIVE_INFINITY): string {
  const parts: string[] = []
  for (let at = 0, used = 0; at < count; at++) {
    const text = part(at)
    used += text.length + 1
    if (used > length) break
    parts.push(text)
  }
  return parts.join(',')
}
