// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { AuthState } from '@myelin/rules/auth/auth-state'
import { authorize } from '@myelin/rules/auth/rules/authorize'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import { referenceHash } from '@myelin/rules/events/event-id'
import { stickyDurationOf } from '@myelin/rules/events/sticky'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { appendEvent } from '@myelin/storage/rooms/append/append-event'
import type { Appended } from '@myelin/storage/rooms/append/append-event'
import type { EventFacts } from '@myelin/storage/rooms/events/event-row'
import type { Read, Tx } from '@myelin/storage/engine/database'
import { eventsById } from '@myelin/storage/rooms/events/events'
import { putHighlights } from '@myelin/storage/sync/highlights'
import { putPartialEvent } from '@myelin/storage/federation/partial-events'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import type { EventDraft, EventMaker } from '../drafts/event-draft.ts'
import { loadAuthState } from '../../room-state/load-auth-state.ts'
import { judgeNotification } from './notification.ts'
import { appendForeign } from './append-foreign.ts'
import { resolvedRoot } from '../resolution/resolve-roots.ts'
import { isNeed, SignatureNeed } from '../resolution/unit-needs.ts'
import type { ResolutionNeed, UnitNeed } from '../resolution/unit-needs.ts'
import { isRecommended } from './policy-server.ts'
import { policyServerOf } from '../../room-state/policy-server-of.ts'
import { applyRedaction } from './redact.ts'
import { applyRemoval } from './redact-removed.ts'
import { refusalOf } from '../drafts/refusal.ts'
import { relationOf } from './relation.ts'
import { recordSticky, refuseTooSticky } from './record-sticky.ts'
import { roomVersionOf } from '../../room-state/versions.ts'

/** An appended event and its position. */
export interface Extended {
  readonly event: Pdu
  readonly appended: Appended
}

/**
 * Builds an event on top of an open room, authorizes it and appends it with everything that a sync reads beside it.
 *
 * Returns a need where the event cannot be built or sent yet. Throws what {@link refusalOf} returns where the rules
 * refuse the event. Nothing is written in either case.
 */
export async function extendRoom(
  tx: Tx,
  rt: EventMaker,
  room: OpenRoom,
  draft: EventDraft,
): Promise<Extended | UnitNeed> {
  const signed = rt.recommended?.find((pdu) => isWritten(pdu, draft))
  const now = rt.clock.now()
  await refuseTooSticky(tx, room, draft, now)
  if (signed) return appendSigned(tx, room, signed, draft, now)
  const { transaction } = draft
  const next = await nextEvent(tx, rt, room, draft)
  if (isNeed(next)) return next
  const { event, state } = next
  const unsigned = await signatureNeed(tx, room, event)
  if (unsigned) return unsigned
  // An event that follows only some of the forward extremities is a branch; and the current state may lag behind
  // them.
  if (event.prevEvents.length < room.extremityCount || room.isUnsettled)
    return appendSigned(tx, room, event, draft, now)
  const relation = await relationOf(tx, event)
  const notification = judgeNotification(event, state)
  const facts: EventFacts = { notifies: notification.notifies, ...relation, ...(transaction ? { transaction } : {}) }
  const appended = await appendEvent(tx, room, event, facts)
  await recordSticky(tx, room, { ...appended, pdu: event, receivedTs: now })
  await putHighlights(tx, room, notification.highlights, appended.position)
  await applyRedaction(tx, event, appended.nid, state)
  await applyRemoval(tx, { event, ...appended }, state)
  if (room.isPartial) await putPartialEvent(tx, room.nid, appended.nid)
  return { event, appended }
}

/**
 * Builds an event on top of an open room and authorizes it, without writing it. Throws `M_FORBIDDEN` where the rules
 * refuse it.
 */
export async function nextEvent(
  tx: Tx,
  rt: EventMaker,
  room: OpenRoom,
  draft: EventDraft,
): Promise<{ readonly event: Pdu; readonly state: AuthState } | ResolutionNeed> {
  const version = roomVersionOf(room.roomVersion)
  const ground = await groundOf(tx, room, version)
  if (isNeed(ground)) return ground
  const { prevEvents, stateRoot } = ground
  const { state, authEvents } = await loadAuthState(tx, stateRoot, draft, version)
  const hashes = await referenceHashes(tx, version, [...prevEvents, ...authEvents])
  const event = buildPdu(
    {
      ...draft,
      ...(hashes ? { hashes } : {}),
      prevEvents,
      authEvents,
      // Another server may have sent the maximum depth; it is kept then.
      depth: Math.min(room.depth + 1, Number.MAX_SAFE_INTEGER),
      originServerTs: draft.originServerTs ?? rt.clock.now(),
    },
    version,
    { serverName: rt.serverName, key: rt.signingKey },
    () => `$${rt.random.token(18)}:${rt.serverName}`,
  )
  const verdict = authorize(event, state)
  if (!verdict.allowed) throw refusalOf(verdict.rule, { draft, state })
  return { event, state }
}

/**
 * Returns the `prev_events` and the state of a local event: all forward extremities of the room, or the oldest where
 * they are too many for one event.
 */
async function groundOf(
  tx: Tx,
  room: OpenRoom,
  version: RoomVersion,
): Promise<{ readonly prevEvents: readonly EventId[]; readonly stateRoot: number } | ResolutionNeed> {
  const prevEvents = room.extremities
  if (room.extremityNids.length === room.extremityCount && !room.isUnsettled)
    return { prevEvents, stateRoot: room.stateRoot }
  const roots = (await eventsById(tx, prevEvents)).map(({ stateAfter }) => stateAfter)
  const stateRoot = await resolvedRoot(tx, { roomId: room.id, version }, roots)
  return isNeed(stateRoot) ? stateRoot : { prevEvents, stateRoot }
}

/** Builds the next event of a room with the signature of its policy server, where it has one; or returns a need. */
export async function nextSignedEvent(
  tx: Tx,
  rt: EventMaker,
  room: OpenRoom,
  draft: EventDraft,
): Promise<Pdu | UnitNeed> {
  const signed = rt.recommended?.find((pdu) => isWritten(pdu, draft))
  if (signed) return signed
  const next = await nextEvent(tx, rt, room, draft)
  return isNeed(next) ? next : ((await signatureNeed(tx, room, next.event)) ?? next.event)
}

/**
 * Returns the need for a policy server's signature; undefined where the room has no policy server, or the event is
 * signed.
 */
async function signatureNeed(tx: Tx, room: OpenRoom, event: Pdu): Promise<SignatureNeed | undefined> {
  const version = roomVersionOf(room.roomVersion)
  const policy = await policyServerOf(tx, room)
  const isSigned = !policy || isRecommended(event, version, policy)
  return isSigned ? undefined : new SignatureNeed(event, version, policy)
}

function isWritten(pdu: Pdu, { roomId, sender, type, stateKey, content, redacts, stickyMs }: EventDraft): boolean {
  return (
    pdu.roomId === roomId &&
    pdu.sender === sender &&
    pdu.type === type &&
    pdu.stateKey === stateKey &&
    pdu.redacts === redacts &&
    stickyDurationOf(pdu) === stickyMs &&
    // `redacts` may stand in the content of a redaction, depending on the room version.
    canonicalJson({ ...pdu.content, redacts: null }) === canonicalJson({ ...content, redacts: null })
  )
}

/**
 * Appends an event that a policy server signed. If the room changed in the meantime, the event forks it like one of
 * another server.
 */
async function appendSigned(
  tx: Tx,
  room: OpenRoom,
  pdu: Pdu,
  draft: EventDraft,
  receivedTs: number,
): Promise<Extended | ResolutionNeed> {
  const version = roomVersionOf(room.roomVersion)
  const { transaction } = draft
  const outcome = await appendForeign(tx, room, { pdu, version, receivedTs, ...(transaction ? { transaction } : {}) })
  if (isNeed(outcome)) return outcome
  const [stored] = await eventsById(tx, [pdu.id])
  if (outcome !== 'appended' || !stored || stored.position === null) {
    throw new MatrixError('M_FORBIDDEN', 'the room no longer allows this event')
  }
  return { event: pdu, appended: { nid: stored.nid, position: stored.position, stateAfter: stored.stateAfter } }
}

/** Returns the reference hashes that `prev_events` and `auth_events` need in room versions 1 and 2. */
export async function referenceHashes(
  tx: Read,
  version: RoomVersion,
  ids: readonly EventId[],
): Promise<ReadonlyMap<EventId, string> | undefined> {
  if (version.eventIds !== 'chosen by server') return undefined
  const events = await eventsById(tx, ids)
  return new Map(events.map(({ pdu }) => [pdu.id, referenceHash(pdu.json, version)]))
}
