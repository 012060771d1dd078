// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PrometheusMetrics } from '@myelin/kit/prometheus-metrics'
import { testRuntime } from '@myelin/testing/runtime'
import { buildApp } from '../app/app.ts'
import { getVersion } from '../federation/discovery/get-version.ts'
import { health } from './health.ts'
import { metrics } from './metrics.ts'

test('health, metrics and version match their schemas', async () => {
  const rt = { ...(await testRuntime()), metrics: new PrometheusMetrics() }
  const mismatches: string[] = []
  const app = buildApp(rt, [health, metrics, getVersion], {
    isForwarded: false,
    maxBodyBytes: 1000,
    onReplyMismatch: (message) => mismatches.push(message),
  })
  const replies = await Promise.all(
    ['/health', '/metrics', '/_synapse/metrics', '/_matrix/federation/v1/version'].map((url) => app.inject(url)),
  )
  assert.deepEqual(
    replies.map(({ statusCode }) => statusCode),
    [200, 200, 200, 200],
  )
  assert.match(replies[1]?.body ?? '', /^# HELP /)
  assert.deepEqual(mismatches, [])
  await app.close()
  await rt.close()
})
