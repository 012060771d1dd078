// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { AuthState } from '@myelin/rules/auth/auth-state'
import { authorize } from '@myelin/rules/auth/authorize'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import { referenceHash } from '@myelin/rules/events/event-id'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { appendEvent } from '@myelin/storage/rooms/events/append-event'
import type { Appended, EventFacts } from '@myelin/storage/rooms/events/append-event'
import type { Read, Tx } from '@myelin/storage/engine/database'
import { eventsById } from '@myelin/storage/rooms/events/events'
import { putHighlights } from '@myelin/storage/sync/highlights'
import { putPartialEvent } from '@myelin/storage/federation/partial-events'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import type { EventDraft, EventMaker } from './event-draft.ts'
import { loadAuthState } from '../room-state/load-auth-state.ts'
import { judgeNotification } from './notification.ts'
import { appendForeign } from './intake/append-foreign.ts'
import { resolvedRoot } from './resolution/resolve-roots.ts'
import { isNeed, SignatureNeed } from './resolution/unit-needs.ts'
import type { ResolutionNeed, UnitNeed } from './resolution/unit-needs.ts'
import { isRecommended } from './policy-server.ts'
import { policyServerOf } from '../room-state/policy-server-of.ts'
import { applyRedaction } from './redact.ts'
import { refusalOf } from './refusal.ts'
import { relationOf } from './relation.ts'
import { roomVersionOf } from '../room-state/versions.ts'

/** An event and where it landed. */
export interface Extended {
  readonly event: Pdu
  readonly appended: Appended
}

/**
 * Builds an event on top of an open room, judges it and appends it with everything a sync that sees it must see.
 *
 * Returns a need where the event cannot be built or sent yet. Throws what {@link refusalOf} gives where the rules refuse. In both cases
 * nothing was written.
 */
export async function extendRoom(
  tx: Tx,
  rt: EventMaker,
  room: OpenRoom,
  draft: EventDraft,
): Promise<Extended | UnitNeed> {
  const signed = rt.recommended?.find((pdu) => isWritten(pdu, draft))
  if (signed) return appendSigned(tx, room, signed, draft)
  const { transaction } = draft
  const next = await nextEvent(tx, rt, room, draft)
  if (isNeed(next)) return next
  const { event, state } = next
  const unsigned = await signatureNeed(tx, room, event)
  if (unsigned) return unsigned
  // Where it follows some of the heads only, it is one branch among others; and the state may be behind the heads.
  if (event.prevEvents.length < room.extremityCount || room.isUnsettled) return appendSigned(tx, room, event, draft)
  const relation = await relationOf(tx, event)
  const notification = judgeNotification(event, state)
  const facts: EventFacts = { notifies: notification.notifies, ...relation, ...(transaction ? { transaction } : {}) }
  const appended = await appendEvent(tx, room, event, facts)
  await putHighlights(tx, room, notification.highlights, appended.position)
  await applyRedaction(tx, event, appended.nid, state)
  if (room.isPartial) await putPartialEvent(tx, room.nid, appended.nid)
  return { event, appended }
}

/**
 * Builds an event on top of an open room and judges it, without writing it. Throws `M_FORBIDDEN` where the rules refuse.
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
      // Somebody may have said the greatest number there is: then ours is that, too.
      depth: Math.min(room.depth + 1, Number.MAX_SAFE_INTEGER),
      originServerTs: rt.clock.now(),
    },
    version,
    { serverName: rt.serverName, key: rt.signingKey },
    () => `$${rt.random.token(18)}:${rt.serverName}`,
  )
  const verdict = authorize(event, state)
  if (!verdict.allowed) throw refusalOf(verdict.rule, { draft, state })
  return { event, state }
}

/** What an event of ours follows: all heads of the room, or the oldest of them where there are too many for one event. */
async function groundOf(
  tx: Tx,
  room: OpenRoom,
  version: RoomVersion,
): Promise<{ readonly prevEvents: readonly EventId[]; readonly stateRoot: number } | ResolutionNeed> {
  const prevEvents = room.extremities
  if (room.heads.length === room.extremityCount && !room.isUnsettled) return { prevEvents, stateRoot: room.stateRoot }
  const roots = (await eventsById(tx, prevEvents)).map(({ stateAfter }) => stateAfter)
  const stateRoot = await resolvedRoot(tx, { roomId: room.id, version }, roots)
  return isNeed(stateRoot) ? stateRoot : { prevEvents, stateRoot }
}

/** Builds the next event of a room with the signature of its policy server, where it has one; or returns the need. */
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

/** Returns the need for a policy server's signature; undefined where the room has no such server, or it signed. */
async function signatureNeed(tx: Tx, room: OpenRoom, event: Pdu): Promise<SignatureNeed | undefined> {
  const version = roomVersionOf(room.roomVersion)
  const policy = await policyServerOf(tx, room)
  const isSigned = !policy || isRecommended(event, version, policy)
  return isSigned ? undefined : new SignatureNeed(event, version, policy)
}

function isWritten(pdu: Pdu, { roomId, sender, type, stateKey, content, redacts }: EventDraft): boolean {
  return (
    pdu.roomId === roomId &&
    pdu.sender === sender &&
    pdu.type === type &&
    pdu.stateKey === stateKey &&
    pdu.redacts === redacts &&
    // What a redaction names may stand in its content.
    canonicalJson({ ...pdu.content, redacts: null }) === canonicalJson({ ...content, redacts: null })
  )
}

/** The room may have moved on while the policy server was asked: then the event forks it, as one from elsewhere would. */
async function appendSigned(tx: Tx, room: OpenRoom, pdu: Pdu, draft: EventDraft): Promise<Extended | ResolutionNeed> {
  const version = roomVersionOf(room.roomVersion)
  const { transaction } = draft
  const fate = await appendForeign(tx, room, { pdu, version, ...(transaction ? { transaction } : {}) })
  if (isNeed(fate)) return fate
  const [stored] = await eventsById(tx, [pdu.id])
  if (fate !== 'appended' || !stored || stored.position === null) {
    throw new MatrixError('M_FORBIDDEN', 'not allowed any more')
  }
  return { event: pdu, appended: { nid: stored.nid, position: stored.position, stateAfter: stored.stateAfter } }
}

/** The first room versions name an event together with its hash. */
export async function referenceHashes(
  tx: Read,
  version: RoomVersion,
  ids: readonly EventId[],
): Promise<ReadonlyMap<EventId, string> | undefined> {
  if (version.eventIds !== 'chosen by server') return undefined
  const events = await eventsById(tx, ids)
  return new Map(events.map(({ pdu }) => [pdu.id, referenceHash(pdu.json, version)]))
}
