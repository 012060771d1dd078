// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import * as sdk from 'matrix-js-sdk'
import { quietLogger } from '../../clients/encrypted-client.ts'
import { registerUsers } from '../../clients/matrix-client.ts'
import { createDatabase, testOnPostgres, testOnSqlite } from '../../databases.ts'
import { startServerProcess } from '../../processes/server-process.ts'

const MESSAGES = 25

/** Sends messages and pages through the results as web clients do. */
async function searchWithSdk(database?: string): Promise<void> {
  const server = await startServerProcess({ database })
  const [alice] = await registerUsers(server.url, server.secret, ['alice'])
  if (!alice) throw new Error('nobody was registered')
  const client = sdk.createClient({
    baseUrl: server.url,
    accessToken: alice.token,
    userId: alice.userId,
    logger: quietLogger,
  })
  try {
    const { room_id: roomId } = await client.createRoom({ preset: sdk.Preset.PrivateChat })
    const ids: string[] = []
    for (let index = 0; index < MESSAGES; index++)
      ids.push((await client.sendTextMessage(roomId, `東京 message ${index}`)).event_id)
    let results = await search(client, roomId)
    while (results.count !== undefined && results.count < MESSAGES) results = await search(client, roomId)
    const first = results.results.length
    while (results.next_batch !== undefined) results = await client.backPaginateRoomEventsSearch(results)
    const found = results.results.map(({ context }) => context.getEvent().getId() ?? '')
    assert.equal(first, 10)
    assert.deepEqual(found.toSorted(), ids.toSorted())
    assert.deepEqual(results.highlights.toSorted(), ['message', '東京'])
    assert.equal(results.results[1]?.context.getTimeline().length, 3)
    const best = await client.searchMessageText({ query: 'message 7' })
    assert.equal(best.search_categories.room_events?.results?.[0]?.result.event_id, ids[7])
  } finally {
    client.stopClient()
    alice.close()
    await server.close()
  }
}

/** The search of Element Web: the newest first, with an event before and after each. */
function search(client: sdk.MatrixClient, roomId: string): Promise<sdk.ISearchResults> {
  return client.searchRoomEvents({ term: '東京 message', filter: { limit: 10, rooms: [roomId] } })
}

describe('matrix-js-sdk searches, and pages through the results', () => {
  testOnSqlite('over sqlite', () => searchWithSdk(), { timeout: 60_000 })

  const onPostgres = async () => {
    const database = await createDatabase()
    try {
      await searchWithSdk(database.url)
    } finally {
      await database.drop()
    }
  }
  testOnPostgres('over postgres', onPostgres, { timeout: 60_000 })
})
