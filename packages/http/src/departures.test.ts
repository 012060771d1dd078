// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createServer, get } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { FastifyReply } from 'fastify'
import { Departures } from './departures.ts'

/** Answers one request by hand: what the caller's side and ours have of it. */
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

test('a caller who goes away aborts the signal of their request, one who is answered does not', async () => {
  const departures = new Departures()
  const [leaves, stays] = [await oneRequest(), await oneRequest()]
  const [left, answered] = [departures.signalOf(leaves.reply), departures.signalOf(stays.reply)]
  leaves.request.destroy()
  stays.response.end('{}')
  stays.request.on('response', (message) => message.resume())
  await Promise.all([leaves.closed, stays.closed])
  assert.deepEqual([left.aborted, answered.aborted], [true, false])
  departures.abort()
  assert.equal(answered.aborted, false, 'what is answered is forgotten')
  for (const each of [leaves, stays]) each.end()
})

test('who has left before the signal is asked for, or asks when the house closes, is told at once', async () => {
  const departures = new Departures()
  const [gone, waits, late] = [await oneRequest(), await oneRequest(), await oneRequest()]
  gone.request.destroy()
  await gone.closed
  assert.equal(departures.signalOf(gone.reply).aborted, true)
  const waiting = departures.signalOf(waits.reply)
  assert.equal(waiting.aborted, false)
  departures.abort()
  assert.deepEqual([waiting.aborted, departures.signalOf(late.reply).aborted], [true, true])
  for (const each of [waits, late]) each.request.destroy()
  for (const each of [gone, waits, late]) each.end()
})
