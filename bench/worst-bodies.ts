// SPDX-License-Identifier: Apache-2.0
import { buildApp } from '@myelin/http/app/app'
import { MAX_BODY_BYTES } from '@myelin/http/body-sizes'
import type { AnyEndpoint } from '@myelin/http/endpoint'
import { clientEndpoints, federationEndpoints } from '@myelin/http/app/endpoints'
import { pathsOf } from '@myelin/http/app/mount'
import type { Json } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { testRuntime, testSigningKey } from '@myelin/testing/runtime'
import { keyDocument } from '@myelin/testing/fake-servers/honest-answers'
import { InProcessServers } from '@myelin/testing/fake-servers/in-process-servers'
import { worstBodies } from '@myelin/testing/worst-bodies'
import { xMatrixHeader } from '@myelin/testing/fake-servers/x-matrix'
import { longestTurn, printTurns } from './turns/longest-turn.ts'
import type { WorstTurn } from './turns/longest-turn.ts'

/**
 * Sends the worst bodies to every endpoint and prints the longest turn of the event loop of each. An argument of
 * `node bench/worst-bodies.ts` selects the operations whose IDs contain it. Exits with 1 if a body of at most 64 KiB takes more
 * than 10 ms, or another one more than 50 ms.
 */

const SHORT_BYTES = 64 * 1024
const MAX_SHORT_MS = 10
const MAX_MS = 50
const wanted = process.argv[2] ?? ''

const servers = new InProcessServers()
const rt = await testRuntime(undefined, {}, { transport: servers })
servers.set('far.test', () => keyDocument('far.test', { validUntilTs: rt.clock.now() + 86_400_000 }))
const app = buildApp(rt, [...new Set([...clientEndpoints, ...federationEndpoints])], {
  isForwarded: false,
  maxBodyBytes: MAX_BODY_BYTES.transaction,
})
const alice = await fixture(app)
let late = 0
for (const sizeBytes of [SHORT_BYTES, Number.POSITIVE_INFINITY]) {
  const limitMs = sizeBytes === SHORT_BYTES ? MAX_SHORT_MS : MAX_MS
  const turns: WorstTurn[] = []
  for (const endpoint of new Set([...clientEndpoints, ...federationEndpoints])) {
    if (!endpoint.body || !endpoint.id.includes(wanted)) continue
    turns.push(await worstTurn(endpoint, sizeBytes, limitMs))
  }
  late += printTurns(`bodies of at most ${sizeBytes === SHORT_BYTES ? '64 KiB' : 'the limit'}`, limitMs, turns)
}
await app.close()
await rt.close()
process.exitCode = late > 0 ? 1 : 0

/** Registers a user and returns the values that paths and bodies name. */
async function fixture(server: ReturnType<typeof buildApp>) {
  const call = async (method: 'POST' | 'PUT', url: string, payload: object, token = '') => {
    const reply = await server.inject({ method, url, payload, headers: { authorization: `Bearer ${token}` } })
    return reply.json() as Record<string, string>
  }
  const auth = { type: 'm.login.dummy' }
  const registered = await call('POST', '/_matrix/client/v3/register', {
    username: 'alice',
    password: 'correct horse',
    auth,
  })
  const token = registered['access_token'] ?? ''
  const room = await call('POST', '/_matrix/client/v3/createRoom', { preset: 'public_chat' }, token)
  return { token, userId: registered['user_id'] ?? '', roomId: room['room_id'] ?? '' }
}

/** Returns the longest turn of the event loop over the bodies of an endpoint. */
async function worstTurn(endpoint: AnyEndpoint, sizeBytes: number, limitMs: number): Promise<WorstTurn> {
  let worst: WorstTurn = { ms: 0, status: 0, endpoint: endpoint.id, request: '' }
  const length = Math.min(sizeBytes, endpoint.maxBodyBytes ?? MAX_BODY_BYTES.small)
  for (const { name, text } of worstBodies(endpoint.id, length)) {
    const turn = await longestTurn(await request(endpoint, text), limitMs)
    if (turn.ms > worst.ms) worst = { ...worst, ...turn, request: name }
  }
  return worst
}

/** Returns a function that sends a request and returns the status of its answer. */
async function request(endpoint: AnyEndpoint, text: string): Promise<() => Promise<number>> {
  const url = (pathsOf(endpoint)[0] ?? '').replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(parameter(name)))
  const authorization = endpoint.access === 'server' ? signature(endpoint.method, url, text) : `Bearer ${alice.token}`
  const payload = Buffer.from(text)
  const headers = { authorization, 'content-type': 'application/json' }
  return async () => {
    // The rate limit would refuse the second body.
    rt.clock.advance(3_600_000)
    return (await app.inject({ method: endpoint.method, url, headers, payload })).statusCode
  }
}

function parameter(name: string): string {
  if (name === 'userId') return alice.userId
  if (name === 'roomId' || name === 'roomIdOrAlias') return alice.roomId
  if (name === 'eventId' || name === 'threadRootId') return '$event'
  if (name === 'kind') return 'override'
  if (name === 'receiptType') return 'm.read'
  return name === 'roomAlias' ? '#alias:one.test' : 'x.name'
}

function signature(method: string, uri: string, text: string): string {
  let content: Json
  try {
    content = parseJson(text)
  } catch {
    content = {}
  }
  const request = { method, uri, origin: 'far.test', destination: rt.serverName, content }
  return xMatrixHeader(request, testSigningKey('far.test'))
}
