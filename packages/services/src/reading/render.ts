// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import { mapInTurns } from '@myelin/kit/turn'
import { redactPdu } from '@myelin/rules/redaction'
import type { Read } from '@myelin/storage/engine/database'
import { DELAYED_DEVICE } from '@myelin/storage/rooms/delayed-events'
import { cachedEvents } from '@myelin/storage/rooms/events/cached-events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { versionOfRoom } from '@myelin/storage/rooms/rooms'
import { stickyEnds } from '../room-state/sticky-ends.ts'
import { roomVersionOf } from '../room-state/versions.ts'
import { bundledRelations } from './bundled-relations.ts'
import { clientEvent } from './client-event.ts'
import { prunedFor } from './erased.ts'
import { membershipsAt } from './memberships-at.ts'
import type { View } from './view.ts'

// The estimated cost of rendering an event.
const RENDER_COST_US = 15

/** Renders events of one room for a requester. Loads everything they need at once. */
export async function renderEvents(db: Read, events: readonly StoredEvent[], view: View): Promise<RawJson[]> {
  const [first] = events
  if (!first) return []
  const version = roomVersionOf(await versionOfRoom(db, first.pdu.roomId))
  const beside = await cachedEvents(
    db,
    events.flatMap((event) => [event.replaces ?? [], event.redactedBy ?? []].flat()),
  )
  const relations = view.bundles ? await bundledRelations(db, events, view, renderEvents) : new Map<number, RawJson>()
  const memberships = await membershipsAt(db, events, view.requester.userId)
  const sticky = await stickyEnds(db, events)
  const pruned = await prunedFor(db, events, view.requester.userId, beside.values())
  return mapInTurns(events, RENDER_COST_US, (event) => {
    const replaced = event.replaces === null ? undefined : beside.get(event.replaces)
    const redaction = event.redactedBy === null ? undefined : beside.get(event.redactedBy)
    const unsigned = {
      age: Math.max(0, view.now - event.pdu.originServerTs),
      transactionId: transactionFor(event, view),
      delayId: delayIdFor(event, view),
      membership: memberships.get(event.nid),
      stickyTtlMs: ttlOf(sticky.get(event.nid), view),
      replaces: replaced && {
        id: replaced.pdu.id,
        sender: replaced.pdu.sender,
        content: replaced.redactedBy === null ? replaced.pdu.content : redactPdu(replaced.pdu, version).content,
      },
      redactedBecause:
        redaction &&
        clientEvent(
          redaction,
          version,
          { age: Math.max(0, view.now - redaction.pdu.originServerTs) },
          { hasRoomId: view.format.hasRoomId, isPruned: pruned.has(redaction) },
        ),
      relations: relations.get(event.nid),
    }
    const isPruned = pruned.has(event)
    return clientEvent(event, version, unsigned, isPruned ? { ...view.format, isPruned } : view.format)
  })
}

function ttlOf(endsTs: number | undefined, { now }: View): number | undefined {
  return endsTs !== undefined && endsTs > now ? endsTs - now : undefined
}

function delayIdFor({ pdu, transaction }: StoredEvent, { requester }: View): string | undefined {
  const isOwn = pdu.sender === requester.userId && transaction?.deviceId === DELAYED_DEVICE
  return isOwn ? transaction.txnId : undefined
}

function transactionFor(event: StoredEvent, { requester }: View): string | undefined {
  const isOwn = event.pdu.sender === requester.userId && event.transaction?.deviceId === requester.deviceId
  return isOwn ? event.transaction?.txnId : undefined
}
