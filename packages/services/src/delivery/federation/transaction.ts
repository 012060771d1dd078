// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { redactJson } from '@myelin/rules/redaction'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { versionOfRoom } from '@myelin/storage/rooms/rooms'
import { roomVersionOf } from '../../room-state/versions.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Pending } from './pending-event.ts'

/** The part of the runtime that sending takes. */
export type Sending = Pick<
  Runtime,
  'db' | 'remote' | 'clock' | 'config' | 'serverName' | 'random' | 'log' | 'bus' | 'typing'
>

/** The most PDUs and EDUs in one transaction, by the spec. */
export const MOST = { pdus: 50, edus: 100 } as const

/** The contents of a transaction; `serial` differs for each try. */
export interface TransactionContents {
  readonly events: readonly Pending[]
  readonly edus: readonly JsonObject[]
  readonly serial: string
}

/**
 * Sends a transaction to a server; resolves once the server accepted it.
 *
 * The transaction ID is derived from the contents, so that a receiver recognizes a repetition after a crash. EDUs may
 * be equal by chance, so with EDUs `serial` is part of it.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#transactions
 */
export async function sendTransaction(
  rt: Sending,
  server: ServerName,
  { events, edus, serial }: TransactionContents,
  signal: AbortSignal,
): Promise<void> {
  const pdus = await pdusOf(rt, events)
  const content = JSON.stringify([rt.serverName, server, events.map(({ nid }) => nid), edus.length > 0 ? serial : ''])
  const txnId = hash('sha256', content, 'base64url')
  await rt.remote.call(server, {
    isLoggedByCaller: true,
    method: 'PUT',
    target: federationPath(['federation', 'v1', 'send', txnId]),
    body: { origin: rt.serverName, origin_server_ts: rt.clock.now(), pdus, edus: [...edus] },
    signal,
  })
}

async function pdusOf({ db }: Sending, events: readonly Pending[]): Promise<JsonObject[]> {
  const stored = await eventsByNid(
    db.read,
    events.map(({ nid }) => nid),
  )
  const pdus: JsonObject[] = []
  for (const { nid, roomId } of events) {
    const event = stored.get(nid)
    if (event) pdus.push(await wireForm(db.read, roomId, event))
  }
  return pdus
}

async function wireForm(
  db: Sending['db']['read'],
  roomId: RoomId,
  { pdu, redactedBy }: { readonly pdu: { readonly json: JsonObject }; readonly redactedBy: number | null },
): Promise<JsonObject> {
  return redactedBy === null ? pdu.json : redactJson(pdu.json, roomVersionOf(await versionOfRoom(db, roomId)))
}
