// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Worker } from 'node:worker_threads'
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { signingKeyFromSeed } from '@myelin/matrix/signatures'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import { roomVersion } from '@myelin/rules/room-versions'
import type { Row, WriterOrder } from './writer.ts'

// A send and nothing else: look a token up, build, hash and sign an event, have it on disk, answer. No rules, no rooms,
// no limits, no readers: what a machine can do at the very most. It ends with its parent, prints its port first.

const version = roomVersion('11')
if (!version) throw new Error('no room version 11')
const signer = { serverName: 'localhost' as ServerName, key: signingKeyFromSeed('bench', Buffer.alloc(32, 9)) }
const users = new Map<string, { readonly id: UserId; readonly number: number }>()
const order: WriterOrder = { path: process.argv[2] ?? '', isWhole: process.argv[3] === 'whole' }
const writer = new Worker(new URL('writer.ts', import.meta.url), { workerData: order })
let head = `$${'h'.repeat(43)}` as EventId
let depth = 1
let waiting: (() => void)[] = []
let rows: Row[] = []
let isWriting = false

writer.on('message', () => {
  for (const answer of onDisk) answer()
  onDisk = []
  isWriting = false
  flush()
})
let onDisk: (() => void)[] = []

function flush(): void {
  if (isWriting || rows.length === 0) return
  isWriting = true
  onDisk = waiting
  writer.postMessage(rows)
  waiting = []
  rows = []
}

function send(
  sender: { readonly id: UserId; readonly number: number },
  path: string,
  text: string,
  response: ServerResponse,
): void {
  const parts = path.split('/')
  const pdu = buildPdu(
    {
      roomId: decodeURIComponent(parts[5] ?? '') as RoomId,
      sender: sender.id,
      type: parts[7] ?? '',
      content: JSON.parse(text) as JsonObject,
      prevEvents: [head],
      authEvents: [head, head, head],
      depth: ++depth,
      originServerTs: Date.now(),
    },
    version as NonNullable<typeof version>,
    signer,
  )
  head = pdu.id
  const json = JSON.stringify(pdu.json)
  rows.push({ id: pdu.id, json, depth, sender: sender.number, transaction: parts[8] ?? '' })
  waiting.push(() => response.writeHead(200, { 'content-type': 'application/json' }).end(`{"event_id":"${pdu.id}"}`))
  // Requests that arrive in one turn of the event loop share a commit.
  setImmediate(flush)
}

function onRequest(request: IncomingMessage, response: ServerResponse): void {
  const token = request.headers.authorization ?? ''
  let sender = users.get(token)
  if (!sender) users.set(token, (sender = { id: `@${users.size}:localhost` as UserId, number: users.size }))
  const from = sender
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => (text += chunk))
  request.on('end', () => send(from, request.url ?? '', text, response))
}

process.on('disconnect', () => process.exit())
writer.once('online', () => {
  const server = createServer(onRequest).listen(0, '127.0.0.1', () =>
    process.send?.({ port: (server.address() as AddressInfo).port }),
  )
})
