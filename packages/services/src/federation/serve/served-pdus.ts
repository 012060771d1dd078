// SPDX-License-Identifier: Apache-2.0
import { RawJson } from '@myelin/kit/raw-json'
import type { JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { redactJson } from '@myelin/rules/redaction'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Read } from '@myelin/storage/engine/database'
import { servedEvents } from '@myelin/storage/federation/served-events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import type { ServedRoom } from './server-access.ts'
import { erasedWords } from './erased-words.ts'
import { ServerVisibility } from './sight.ts'

const SLICE = 500

/**
 * Returns events as other servers get them, in the given order: redacted events redacted, and so are those in
 * `isHidden`.
 */
export async function servedPdus(
  db: Read,
  version: RoomVersion,
  nids: readonly number[],
  isHidden: (nid: number) => boolean = () => false,
): Promise<RawJson[]> {
  const pdus: RawJson[] = []
  for (let start = 0; start < nids.length; start += SLICE) {
    // Yields, because a whole state may be long.
    if (start > 0) await new Promise<void>((resolve) => setImmediate(resolve))
    for (const { nid, text, isRedacted } of await servedEvents(db, nids.slice(start, start + SLICE))) {
      pdus.push(new RawJson(isRedacted || isHidden(nid) ? redacted(text, version) : text))
    }
  }
  return pdus
}

/**
 * Returns events of a room as far as the requesting server may see them, the others redacted. A server that is not in
 * the room gets no redacted events, because it has no graph to complete. Erased events are redacted for every server.
 */
export async function seenPdus(db: Read, room: ServedRoom, events: readonly StoredEvent[]): Promise<RawJson[]> {
  const sight = new ServerVisibility(db, room)
  const hidden = new Set([...(await erasedWords(db, events))].map(({ nid }) => nid))
  for (const event of events) if (!(await sight.isWhole(event))) hidden.add(event.nid)
  const nids = events.map(({ nid }) => nid)
  return servedPdus(db, room.version, room.isIn ? nids : nids.filter((nid) => !hidden.has(nid)), (nid) =>
    hidden.has(nid),
  )
}

function redacted(text: string, version: RoomVersion): string {
  const json = parseJson(text, { keepNumbers: !version.strictCanonicalJson }) as JsonObject
  return JSON.stringify(redactJson(json, version))
}
