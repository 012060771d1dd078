// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { redactPdu } from '@myelin/rules/redaction'
import type { Read } from '@myelin/storage/database'
import { Shelf } from '@myelin/storage/kept'
import { knownEvents } from '@myelin/storage/known-events'
import type { StoredEvent } from '@myelin/storage/stored-event'
import { versionOfRoom } from '@myelin/storage/rooms'
import { loadStateEvent } from '../rooms/load-auth-state.ts'
import { roomVersionOf } from '../rooms/versions.ts'
import { bundledRelations } from './bundled-relations.ts'
import { clientEvent } from './client-event.ts'
import type { View } from './view.ts'

/** Events of one room as the requester sees them. Everything they need beside is loaded at once. */
export async function renderEvents(db: Read, events: readonly StoredEvent[], view: View): Promise<RawJson[]> {
  const [first] = events
  if (!first) return []
  const version = roomVersionOf(await versionOfRoom(db, first.pdu.roomId))
  const beside = await knownEvents(
    db,
    events.flatMap((event) => [event.replaces ?? [], event.redactedBy ?? []].flat()),
  )
  const relations = view.bundles ? await bundledRelations(db, events, view, renderEvents) : new Map<number, RawJson>()
  const memberships = await membershipsAt(db, events, view)
  return events.map((event) => {
    const replaced = event.replaces === null ? undefined : beside.get(event.replaces)
    const redaction = event.redactedBy === null ? undefined : beside.get(event.redactedBy)
    const unsigned = {
      age: Math.max(0, view.now - event.pdu.originServerTs),
      transactionId: transactionFor(event, view),
      membership: memberships.get(event.nid),
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
          { hasRoomId: view.format.hasRoomId },
        ),
      relations: relations.get(event.nid),
    }
    return clientEvent(event, version, unsigned, view.format)
  })
}

function transactionFor(event: StoredEvent, { requester }: View): string | undefined {
  const isOwn = event.pdu.sender === requester.userId && event.transaction?.deviceId === requester.deviceId
  return isOwn ? event.transaction?.txnId : undefined
}

/** The requester's membership at each event; events in a row mostly share their state. */
async function membershipsAt(
  db: Read,
  events: readonly StoredEvent[],
  { requester }: View,
): Promise<Map<number, string>> {
  const byRoot = new Map<number, string>()
  const memberships = new Map<number, string>()
  for (const event of events) {
    const membership = byRoot.get(event.stateAfter) ?? (await membershipIn(db, event.stateAfter, requester.userId))
    byRoot.set(event.stateAfter, membership)
    memberships.set(event.nid, membership)
  }
  return memberships
}

const shelf = new Shelf<string>('membershipsAt', 50_000)

/** A user's membership in a state: neither a state nor what a member event says of it ever changes. */
async function membershipIn(db: Read, root: number, user: UserId): Promise<string> {
  const cache = shelf.of(db)
  const name = `${root} ${user}`
  const known = cache.get(name)
  if (known !== undefined) return known
  const own = await loadStateEvent(db, root, 'm.room.member', user)
  const membership = (own && stringMember(own.content, 'membership')) ?? 'leave'
  // What a unit made may be taken back.
  if (db.moves.position !== undefined) cache.set(name, membership)
  return membership
}
