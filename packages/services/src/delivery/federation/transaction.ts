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
import type { Pending } from './missed-events.ts'

/** What sending takes of the runtime. */
export type Sending = Pick<
  Runtime,
  'db' | 'remote' | 'clock' | 'config' | 'serverName' | 'random' | 'log' | 'bus' | 'typing'
>

/** How much one transaction carries at the most, by the spec. */
export const MOST = { pdus: 50, edus: 100 } as const

/** What goes out together; `serial` is another for each try. */
export interface TransactionContents {
  readonly events: readonly Pending[]
  readonly edus: readonly JsonObject[]
  readonly serial: string
}

/**
 * Hands a transaction to a server; resolves once it took it.
 *
 * Its id follows from what it carries, so that one repeated after a crash is known to who has it already. Where it
 * carries EDUs, which may be the same again, `serial` tells one from the next.
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
