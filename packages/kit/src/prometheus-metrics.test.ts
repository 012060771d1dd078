// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PrometheusMetrics } from './prometheus-metrics.ts'

test('metrics count requests, commits, caches and the log, and show the event loop', async () => {
  const metrics = new PrometheusMetrics()
  const cache = { hits: 3, misses: 1, size: 2 }
  let position = 41
  metrics.watchCaches(() => [['events', cache]])
  metrics.watchWaiting(() => ({ clients: 3, topics: 8 }))
  metrics.watchLogPosition(() => position)
  metrics.requestAnswered('sendMessage', 200, 4)
  metrics.committed(7, 2)

  await metrics.expose()
  cache.hits = 5
  position = 42
  const { text, contentType } = await metrics.expose()

  assert.match(contentType, /^text\/plain/)
  for (const line of [
    'myelin_http_request_duration_seconds_bucket{le="0.005",endpoint="sendMessage",status="200"} 1',
    'myelin_http_request_duration_seconds_bucket{le="0.0025",endpoint="sendMessage",status="200"} 0',
    'myelin_commit_units_bucket{le="5"} 0',
    'myelin_commit_units_bucket{le="10"} 1',
    'myelin_commit_duration_seconds_sum 0.002',
    'myelin_cache_lookups_total{cache="events",outcome="hit"} 5',
    'myelin_cache_lookups_total{cache="events",outcome="miss"} 1',
    'myelin_cache_entries{cache="events"} 2',
    'myelin_log_position 42',
    'myelin_waiting{what="clients"} 3',
    'myelin_waiting{what="topics"} 8',
  ]) {
    assert.ok(text.includes(`${line}\n`), `no line ${line}`)
  }
  for (const part of ['', '_min', '_max', '_mean', '_stddev', '_p50', '_p90', '_p99']) {
    assert.equal([...text.matchAll(new RegExp(`^nodejs_eventloop_lag${part}_seconds \\d`, 'gm'))].length, 1, part)
  }
})
