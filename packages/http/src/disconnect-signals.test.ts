// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createServer, get } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { FastifyReply } from 'fastify'
import { DisconnectSignals } from './disconnect-signals.ts'

/** Returns the client's and the server's side of one request. */
async function oneRequest() {
  const arrived = Promise.withResolvers<ServerResponse>()
  const server = createServer((_, response) => arrived.resolve(response)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const request = get({ port: (server.address() as AddressInfo).port, agent: false })
  request.on('error', () => {})
  const response = await arrived.promise
  const closed = new Promise((resolve) => response.once('close', resolve))
  return { request, response, closed, reply: { raw: response } as Pick<FastifyReply, 'raw'>, end: () => server.close() }
}

test('a signal is aborted when the client disconnects before the reply, and not after it', async () => {
  const disconnects = new DisconnectSignals()
  const [leaves, stays] = [await oneRequest(), await oneRequest()]
  const [left, answered] = [disconnects.signalOf(leaves.reply), disconnects.signalOf(stays.reply)]
  leaves.request.destroy()
  stays.response.end('{}')
  stays.request.on('response', (message) => message.resume())
  await Promise.all([leaves.closed, stays.closed])
  assert.deepEqual([left.aborted, answered.aborted], [true, false])
  disconnects.abort()
  assert.equal(answered.aborted, false, 'a signal is released once the reply is sent')
  for (const each of [leaves, stays]) each.end()
})

test('a signal is aborted from the beginning when the client has disconnected, and at shutdown', async () => {
  const disconnects = new DisconnectSignals()
  const [gone, waits, late] = [await oneRequest(), await oneRequest(), await oneRequest()]
  gone.request.destroy()
  await gone.closed
  assert.equal(disconnects.signalOf(gone.reply).aborted, true)
  const waiting = disconnects.signalOf(waits.reply)
  assert.equal(waiting.aborted, false)
  disconnects.abort()
  assert.deepEqual([waiting.aborted, disconnects.signalOf(late.reply).aborted], [true, true])
  for (const each of [waits, late]) each.request.destroy()
  for (const each of [gone, waits, late]) each.end()
})
