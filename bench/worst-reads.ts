// SPDX-License-Identifier: Apache-2.0
import { buildApp } from '@myelin/http/app/app'
import { MAX_BODY_BYTES } from '@myelin/http/body-sizes'
import { clientEndpoints, federationEndpoints } from '@myelin/http/app/endpoints'
import { testRuntime, testSigningKey } from '@myelin/testing/runtime'
import { keyDocument } from '@myelin/testing/fake-servers/honest-answers'
import { InProcessServers } from '@myelin/testing/fake-servers/in-process-servers'
import { xMatrixHeader } from '@myelin/testing/fake-servers/x-matrix'
import { longestTurn, printTurns } from './turns/longest-turn.ts'
import type { WorstTurn } from './turns/longest-turn.ts'

/**
 * Reads everything of a user and rooms at their bounds, and prints the longest turn of the event loop of each request:
 * `node bench/worst-reads.ts`. Exits with 1 if a turn takes 50 ms or longer.
 */

const MAX_MS = 50
const FAR = 'far.test'
const ROOMS = 300
const MESSAGES = 1000

const servers = new InProcessServers()
const rt = await testRuntime(undefined, {}, { transport: servers })
servers.set(FAR, () => keyDocument(FAR, { validUntilTs: rt.clock.now() + 86_400_000 }))
const app = buildApp(rt, [...new Set([...clientEndpoints, ...federationEndpoints])], {
  isForwarded: false,
  maxBodyBytes: MAX_BODY_BYTES.transaction,
})
let token = ''
const call = async (method: 'GET' | 'POST' | 'PUT', url: string, payload?: object) => {
  rt.clock.advance(60_000)
  const headers = { authorization: `Bearer ${token}` }
  const reply = await app.inject({ method, url, headers, ...(payload ? { payload } : {}) })
  if (reply.statusCode !== 200) throw new Error(`${method} ${url}: ${reply.statusCode} ${reply.body.slice(0, 200)}`)
  return reply.json() as Record<string, string>
}
const v3 = '/_matrix/client/v3'

const auth = { type: 'm.login.dummy' }
const alice = await call('POST', `${v3}/register`, { username: 'alice', password: 'correct horse', auth })
token = alice['access_token'] ?? ''
const { userId, roomId, spaceId, rootId, filters } = await fixture()
const turns: WorstTurn[] = []
for (const [request, url] of Object.entries(reads())) {
  turns.push({ ...(await longestTurn(() => read(url), MAX_MS)), endpoint: url.split('?')[0] ?? '', request })
}
const late = printTurns('reads', MAX_MS, turns)
await app.close()
await rt.close()
process.exitCode = late > 0 ? 1 : 0

async function read(url: string): Promise<number> {
  rt.clock.advance(60_000)
  const unsigned = { origin: FAR, destination: rt.serverName, method: 'GET', uri: url }
  const authorization = url.includes('/federation/') ? xMatrixHeader(unsigned, testSigningKey(FAR)) : `Bearer ${token}`
  const isSearch = url.includes('search?')
  const reply = await app.inject({
    method: isSearch ? 'POST' : 'GET',
    url,
    headers: { authorization },
    ...(isSearch ? { payload: { search_term: 'u', limit: 1000 } } : {}),
  })
  return reply.statusCode
}

async function fixture() {
  const user = alice['user_id'] ?? ''
  const invite = Array.from({ length: 1000 }, (_, at) => `@u${at}:one.test`)
  const initial = Array.from({ length: 1000 }, (_, at) => ({ type: 'a.b', state_key: `${at}`, content: { at } }))
  const big = await call('POST', `${v3}/createRoom`, { preset: 'public_chat', invite, initial_state: initial })
  const room = big['room_id'] ?? ''
  const creation = { type: 'm.space' }
  const space = await call('POST', `${v3}/createRoom`, { preset: 'public_chat', creation_content: creation })
  for (let at = 0; at < ROOMS; at++) {
    const child = await call('POST', `${v3}/createRoom`, {
      visibility: 'public',
      name: `room ${at}`,
      topic: 'x'.repeat(500),
    })
    const path = `${v3}/rooms/${space['room_id']}/state/m.space.child/${child['room_id']}`
    await call('PUT', path, { via: ['one.test'] })
  }
  const sent: string[] = []
  for (let at = 0; at < MESSAGES; at++) {
    const relates = at % 2 === 1 ? { 'm.relates_to': { rel_type: 'm.thread', event_id: sent[0] } } : {}
    const content = { msgtype: 'm.text', body: 'hello '.repeat(100), ...relates }
    sent.push((await call('PUT', `${v3}/rooms/${room}/send/m.room.message/${at}`, content))['event_id'] ?? '')
  }
  for (let at = 0; at < 12; at++)
    await call('PUT', `${v3}/user/${user}/account_data/big${at}`, { a: 'x'.repeat(250_000) })
  for (let at = 0; at < 3000; at++) await call('PUT', `${v3}/user/${user}/account_data/small${at}`, { at })
  const message = { a: 'x'.repeat(60_000) }
  for (let at = 0; at < 100; at++) {
    await call('PUT', `${v3}/sendToDevice/a.b/${at}`, { messages: { [user]: { [alice['device_id'] ?? '']: message } } })
  }
  const filter = async (definition: object) =>
    (await call('POST', `${v3}/user/${user}/filter`, definition))['filter_id'] ?? ''
  const types = Array.from({ length: 3000 }, (_, at) => (at < 100 ? `*${at}*` : `name${at}`))
  return {
    userId: user,
    roomId: room,
    spaceId: space['room_id'] ?? '',
    rootId: sent[0] ?? '',
    filters: {
      long: await filter({ room: { timeline: { limit: 1000 } } }),
      lazy: await filter({ room: { state: { lazy_load_members: true } } }),
      many: await filter({ room: { timeline: { types }, state: { types } } }),
    },
  }
}

/** Returns the requests by name. */
function reads(): Readonly<Record<string, string>> {
  const rooms = `${v3}/rooms/${roomId}`
  const federation = `/_matrix/federation/v1`
  const event = `event_id=${encodeURIComponent(rootId)}`
  return {
    'first sync': `${v3}/sync`,
    'first sync, 1000 events a room': `${v3}/sync?filter=${filters.long}`,
    'first sync, lazy members': `${v3}/sync?filter=${filters.lazy}`,
    'first sync, many types': `${v3}/sync?filter=${filters.many}`,
    'full state': `${v3}/sync?full_state=true&filter=${filters.long}`,
    messages: `${rooms}/messages?dir=b&limit=1000`,
    'messages forwards': `${rooms}/messages?dir=f&limit=1000`,
    context: `${rooms}/context/${encodeURIComponent(rootId)}?limit=1000`,
    state: `${rooms}/state`,
    members: `${rooms}/members`,
    'joined members': `${rooms}/joined_members`,
    relations: `/_matrix/client/v1/rooms/${roomId}/relations/${encodeURIComponent(rootId)}?limit=1000`,
    threads: `/_matrix/client/v1/rooms/${roomId}/threads?limit=1000`,
    hierarchy: `/_matrix/client/v1/rooms/${spaceId}/hierarchy?limit=1000`,
    'public rooms': `${v3}/publicRooms?limit=1000`,
    'user search': `${v3}/user_directory/search?`,
    notifications: `${v3}/notifications?limit=1000`,
    'joined rooms': `${v3}/joined_rooms`,
    'push rules': `${v3}/pushrules/`,
    profile: `${v3}/profile/${userId}`,
    'state for a server': `${federation}/state/${roomId}?${event}`,
    'state IDs for a server': `${federation}/state_ids/${roomId}?${event}`,
    backfill: `${federation}/backfill/${roomId}?v=${encodeURIComponent(rootId)}&limit=1000`,
    'auth events for a server': `${federation}/event_auth/${roomId}/${encodeURIComponent(rootId)}`,
    'hierarchy for a server': `${federation}/hierarchy/${spaceId}`,
    'public rooms for a server': `${federation}/publicRooms?limit=1000`,
  }
}
