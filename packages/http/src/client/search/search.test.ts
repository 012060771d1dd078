// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { searchStage } from '@myelin/testing/stages/search-stage'
import { testServer } from '@myelin/testing/server'

test('refuses what is no search, and says why', async () => {
  const { server, alice, post } = await searchStage()
  const wrong: readonly (readonly [object, string, string?])[] = [
    [{}, 'M_MISSING_PARAM'],
    [{ search_term: 7 }, 'M_BAD_JSON'],
    [{ search_term: 'x'.repeat(1_025) }, 'M_BAD_JSON'],
    [{ search_term: 'x '.repeat(33) }, 'M_INVALID_PARAM'],
    [{ search_term: 'x', keys: ['content.formatted_body'] }, 'M_BAD_JSON'],
    [{ search_term: 'x', order_by: 'oldest' }, 'M_BAD_JSON'],
    [{ search_term: 'x', groupings: { group_by: [{ key: 'type' }] } }, 'M_BAD_JSON'],
    [{ search_term: 'x', event_context: { before_limit: -1 } }, 'M_BAD_JSON'],
    [{ search_term: 'x', filter: [] }, 'M_BAD_JSON'],
    [{ search_term: 'x' }, 'M_INVALID_PARAM', 'nonsense'],
  ]
  const answers: unknown[] = []
  for (const [criteria, , nextBatch] of wrong) {
    const { status, body } = await post(alice, criteria, nextBatch)
    answers.push([status, body['errcode']])
  }
  const anonymous = await server.call('POST', '/_matrix/client/v3/search', { body: {} })
  const empty = await server.call('POST', '/_matrix/client/v3/search', { token: alice.token, body: {} })
  await server.close()
  assert.deepEqual(
    answers,
    wrong.map(([, errcode]) => [400, errcode]),
  )
  assert.deepEqual([anonymous.status, empty.status], [401, 400])
})

test('answers a search in no category with none, and takes unknown members', async () => {
  const { server, alice, post } = await searchStage()
  const search_categories = { 'org.example.users': {} }
  const none = await server.call('POST', '/_matrix/client/v3/search', {
    token: alice.token,
    body: { search_categories },
  })
  const other = await post(alice, { search_term: 'x', 'org.example.wish': 1, event_context: { other: true } })
  await server.close()
  assert.deepEqual([none.status, none.body], [200, { search_categories: {} }])
  assert.deepEqual(other.body, { search_categories: { room_events: { count: 0, highlights: [], results: [] } } })
})

test('is refused in the words of Synapse where it is disabled, and indexes nothing', async () => {
  const server = await testServer(undefined, { search: { isEnabled: false } })
  const alice = await server.register('alice')
  const body = { search_categories: { room_events: { search_term: 'x' } } }
  const answer = await server.call('POST', '/_matrix/client/v3/search', { token: alice.token, body })
  const { search } = server.workers
  await server.close()
  assert.equal(search, undefined)
  assert.deepEqual(
    [answer.status, answer.body],
    [400, { errcode: 'M_UNKNOWN', error: 'Search is disabled on this homeserver' }],
  )
})
