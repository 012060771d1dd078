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

/** Events as other servers get them, in the order asked: what was redacted is redacted, and so is what `isHidden` names. */
export async function servedPdus(
  db: Read,
  version: RoomVersion,
  nids: readonly number[],
  isHidden: (nid: number) => boolean = () => false,
): Promise<RawJson[]> {
  const pdus: RawJson[] = []
  for (let start = 0; start < nids.length; start += SLICE) {
    // A whole state may be long, and others want their turn.
    if (start > 0) await new Promise<void>((resolve) => setImmediate(resolve))
    for (const { nid, text, isRedacted } of await servedEvents(db, nids.slice(start, start + SLICE))) {
      pdus.push(new RawJson(isRedacted || isHidden(nid) ? redacted(text, version) : text))
    }
  }
  return pdus
}

/**
 * Events of a room as far as the asking server may see them; the rest of each is redacted. A server that is not in the
 * room has no graph to complete, so it gets nothing in place of what it may not see. What its sender had erased nobody gets whole
 * any more.
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
