// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId } from '@myelin/matrix/ids'
import type { Read, Tx } from '@myelin/storage/engine/database'
import { eventById, pdusByNid } from '@myelin/storage/rooms/events/events'
import { openRoom } from '@myelin/storage/rooms/rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import { currentEventsOfRequest, lookUpRequest } from '@myelin/storage/rooms/events/sent-events'
import type { RequestLookup } from '@myelin/storage/rooms/events/sent-events'
import { refuseSuspended } from '../standing/suspension.ts'
import type { Asker } from '../peers/ask-server.ts'
import { askCanonicalAliases, checkAliases } from './drafts/canonical-alias.ts'
import { checkContent } from './drafts/check-content.ts'
import { extendRoom } from './append/extend-room.ts'
import { Rehearsed } from './drafts/event-draft.ts'
import type { EventDraft, EventMaker } from './drafts/event-draft.ts'
import { notInRoomText } from './drafts/refusal.ts'
import { loadAuthState, loadStateEvent } from '../room-state/load-auth-state.ts'
import { checkRedaction } from './append/redact.ts'
import { checkRelation } from './append/relation.ts'
import { isNeed, SignatureNeed } from './resolution/unit-needs.ts'
import type { UnitNeed } from './resolution/unit-needs.ts'
import type { PolicyServerNeeds } from './append/policy-server.ts'
import { writeEvents } from './append/write-events.ts'
import { roomVersionOf } from '../room-state/versions.ts'

type Needs = EventMaker & Asker & PolicyServerNeeds
type Aliases = Awaited<ReturnType<typeof askCanonicalAliases>>

/**
 * Sends an event of a local user: builds it on top of the room, authorizes it, and returns its ID once it is on disk.
 *
 * A draft with a transaction ID that its sender used before, for the same room, type and redacted event, makes no
 * event: the first one's ID is returned.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#sending-events-to-a-room
 */
export async function sendEvent(rt: Needs, draft: EventDraft): Promise<EventId> {
  checkContent(rt.serverName, draft)
  await refuseSilenced(rt, draft)
  const look = await lookBefore(rt.db.read, draft)
  // A retried request sends nothing new, so no rate limit applies to it.
  const [made] = draft.redacts === undefined ? look.sent : []
  if (made) return made.id
  if (!draft.claim) rt.limits.take('message', draft.sender)
  const elsewhere = await askCanonicalAliases(rt, draft)
  return writeEvents(rt, (tx, maker) => sendInUnit(tx, maker, { draft, elsewhere, look }))
}

/** Refuses an event of a suspended user, except the redaction of an own event. */
async function refuseSilenced(rt: Needs, { type, sender, redacts }: EventDraft): Promise<void> {
  const target = type === 'm.room.redaction' && redacts !== undefined ? await eventById(rt.db.read, redacts) : undefined
  if (target?.pdu.sender !== sender) await refuseSuspended(rt, sender)
}

interface Sending {
  readonly draft: EventDraft
  readonly elsewhere: Aliases
  readonly look: RequestLookup
}

async function sendInUnit(tx: Tx, rt: EventMaker, { draft, elsewhere, look }: Sending): Promise<EventId | UnitNeed> {
  // Read inside the unit: the same request may have completed while this one waited. Both queries run at once.
  const [room, sent] = await Promise.all([openRoom(tx, draft.roomId), sentBefore(tx, draft, look)])
  if (!room) throw new MatrixError('M_FORBIDDEN', notInRoomText(draft.sender))
  await draft.claim?.(tx)
  const earlier = sent ?? (await sameState(tx, room, draft))
  if (earlier !== undefined) return earlier
  await checkDraft(tx, room, draft, elsewhere)
  const extended = await extendRoom(tx, rt, room, draft)
  if (draft.isRehearsal && (!isNeed(extended) || extended instanceof SignatureNeed)) throw new Rehearsed()
  return isNeed(extended) ? extended : extended.event.id
}

/**
 * Looks for an earlier equal request outside the unit: most requests are new, and a unit without reads can be batched.
 */
async function lookBefore(db: Read, { roomId, sender, type, transaction }: EventDraft): Promise<RequestLookup> {
  if (!transaction) return { sent: [], readAt: undefined }
  return lookUpRequest(db, { roomId, sender, type, ...transaction })
}

/** Returns the event that an earlier equal request made. */
async function sentBefore(tx: Tx, draft: EventDraft, look: RequestLookup): Promise<EventId | undefined> {
  const { roomId, sender, type, redacts, transaction } = draft
  if (!transaction) return undefined
  const sent = await currentEventsOfRequest(tx, { roomId, sender, type, ...transaction }, look)
  if (sent.length === 0 || redacts === undefined) return sent[0]?.id
  const pdus = await pdusByNid(
    tx,
    sent.map(({ nid }) => nid),
  )
  return sent.find(({ nid }) => pdus.get(nid)?.redacts === redacts)?.id
}

/** Returns the current event where the draft sets the same state again. */
async function sameState(tx: Tx, room: OpenRoom, draft: EventDraft): Promise<EventId | undefined> {
  if (draft.stateKey === undefined) return undefined
  const current = await loadStateEvent(tx, room.stateRoot, draft.type, draft.stateKey)
  const isSame = current?.sender === draft.sender && canonicalJson(current.content) === canonicalJson(draft.content)
  return isSame ? current.id : undefined
}

async function checkDraft(tx: Tx, room: OpenRoom, draft: EventDraft, elsewhere: Aliases): Promise<void> {
  await checkRelation(tx, draft)
  if (draft.type === 'm.room.redaction') {
    const { state } = await loadAuthState(tx, room.stateRoot, draft, roomVersionOf(room.roomVersion))
    await checkRedaction(tx, draft, state)
  }
  if (draft.type === 'm.room.canonical_alias' && draft.stateKey === '') {
    await checkAliases(tx, room, draft.content, elsewhere)
  }
}
