// SPDX-License-Identifier: Apache-2.0
import { isObject, type Json, type JsonObject, member } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { RedactionTraits, RoomVersion } from './room-versions.ts'

/**
 * Returns an event's redacted form. The event ID and the signatures stay valid, because they cover only this.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#redactions
 */
export function redactJson(json: JsonObject, version: RoomVersion): JsonObject {
  const kept: Record<string, Json> = {}
  for (const key of version.redaction.topLevel) {
    const value = member(json, key)
    if (value !== undefined) kept[key] = value
  }
  const type = member(json, 'type')
  const content = member(json, 'content')
  if (isObject(content))
    kept['content'] = redactContent(typeof type === 'string' ? type : '', content, version.redaction)
  return kept
}

/** Returns the redacted event; its ID stays. */
export function redactPdu(pdu: Pdu, version: RoomVersion): Pdu {
  const json = redactJson(pdu.json, version)
  const content = redactContent(pdu.type, pdu.content, version.redaction)
  const { redacts, ...rest } = pdu
  const keepsTarget = redacts !== undefined && version.redactsInContent
  return Object.freeze({ ...rest, ...(keepsTarget ? { redacts } : {}), content, json })
}

/** Returns the redacted content of an event. */
export function redactContent(type: string, content: JsonObject, traits: RedactionTraits): JsonObject {
  const keys = Object.hasOwn(traits.content, type) ? traits.content[type] : undefined
  if (keys === undefined) return {}
  if (keys === 'all') return content
  const kept: Record<string, Json> = {}
  for (const key of keys) keep(content, key, kept)
  return kept
}

function keep(content: JsonObject, path: string, kept: Record<string, Json>): void {
  const dot = path.indexOf('.')
  const key = dot === -1 ? path : path.slice(0, dot)
  const value = member(content, key)
  if (value === undefined) return
  if (dot === -1) kept[key] = value
  else if (isObject(value)) {
    const inner: Record<string, Json> = {}
    keep(value, path.slice(dot + 1), inner)
    if (Object.keys(inner).length > 0) kept[key] = inner
  }
}
