// SPDX-License-Identifier: Apache-2.0
import { buildApp } from '@myelin/http/app/app'
import { MAX_BODY_BYTES } from '@myelin/http/body-sizes'
import { clientEndpoints, federationEndpoints } from '@myelin/http/app/endpoints'
import type { Json } from '@myelin/matrix/json'
import { xMatrixHeader } from '@myelin/testing/fake-servers/x-matrix'
import { keyDocument } from '@myelin/testing/fake-servers/honest-answers'
import { InProcessServers } from '@myelin/testing/fake-servers/in-process-servers'
import { testRuntime, testSigningKey } from '@myelin/testing/runtime'
import { ClientThread } from './turns/client-thread.ts'
import type { BenchRequest } from './turns/client-thread.ts'
import { longestTurn, printTurns } from './turns/longest-turn.ts'
import type { Turn, WorstTurn } from './turns/longest-turn.ts'
import { FAR, LargestFixture } from './turns/largest-fixture.ts'
import { largestReads } from './turns/largest-reads.ts'
import type { LargestRead } from './turns/largest-reads.ts'

/**
 * Reads all there is of a user, of rooms and for other servers at their bounds, and prints the longest turn of the event loop of
 * each request: `node bench/worst-reads.ts`, with part of a request's name to send these only. The client runs on another thread.
 * No turn may take 50 ms; the exit code says whether one did. `--small` makes a fixture of a tenth, and `--crowd`
 * only the room of 50,000 members whole, for trials.
 */

const MAX_MS = 50
const JOIN_ROUNDS = 3
const scale = process.argv.includes('--small') ? 0.1 : 1
const roomScale = process.argv.includes('--crowd') ? 0.01 : scale
const wanted = process.argv.slice(2).find((word) => !word.startsWith('--')) ?? ''

const servers = new InProcessServers()
const rt = await testRuntime(undefined, {}, { transport: servers })
servers.set(FAR, () => keyDocument(FAR, { validUntilTs: rt.clock.now() + 86_400_000_000 }))
const app = buildApp(rt, [...new Set([...clientEndpoints, ...federationEndpoints])], {
  isForwarded: false,
  maxBodyBytes: MAX_BODY_BYTES.transaction,
})
const base = await app.listen({ port: 0, host: '127.0.0.1' })
const client = new ClientThread()
const fixture = new LargestFixture(rt, app, { scale, roomScale })
await fixture.fill()
const turns: WorstTurn[] = []
for (const read of largestReads(fixture)) {
  if (!read.name.includes(wanted)) continue
  turns.push({ ...(await turnOf(read)), endpoint: read.url.split('?')[0]?.slice(0, 60) ?? '', request: read.name })
}
if ('send_join of a large room'.includes(wanted)) turns.push(await turnOfJoin())
const late = printTurns('reads', MAX_MS, turns)
const refused = turns.filter(({ status }) => status !== 200)
if (refused.length > 0) console.log(`not answered with 200: ${refused.map(({ request }) => request).join(', ')}`)
await client.close()
await app.close()
await rt.close()
process.exitCode = late + refused.length > 0 ? 1 : 0

/** Returns the longest turn of a read. */
function turnOf(read: LargestRead): Promise<Turn> {
  return longestTurn(async () => {
    // Limits of rates would refuse the second request.
    rt.clock.advance(60_000)
    return (await client.send(requestOf(read))).status
  }, MAX_MS)
}

/** Returns the longest turn of the answer to a join, with a new user in each round. */
async function turnOfJoin(): Promise<WorstTurn> {
  let best: WorstTurn | undefined
  for (let round = 0; round < JOIN_ROUNDS; round++) {
    const { url, body } = await fixture.signedJoin(`@new${round}:${FAR}`)
    const request = requestOf({ name: '', method: 'PUT', url, body, isFederated: true })
    const turn = await longestTurn(async () => (await client.send(request)).status, Number.POSITIVE_INFINITY)
    if (!best || turn.ms < best.ms) best = { ...turn, endpoint: 'send_join', request: 'send_join of a large room' }
  }
  if (!best) throw new Error('a join has rounds')
  return best
}

function requestOf({ method = 'GET', url, body, isFederated = false }: LargestRead): BenchRequest {
  const unsigned = { origin: FAR, destination: rt.serverName, method, uri: url, content: body as Json | undefined }
  const authorization = isFederated ? xMatrixHeader(unsigned, testSigningKey(FAR)) : `Bearer ${fixture.token}`
  const headers = { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  return { method, url: `${base}${url}`, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
}
