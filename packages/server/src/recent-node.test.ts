// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'

// An old Node has to read it, so it has no types.
const { isRecent } = (await import(new URL('recent-node.js', import.meta.url).href)) as {
  readonly isRecent: (version: string) => boolean
}

test('Node is recent enough from 24.15 on', () => {
  const recent = ['24.15.0', '24.21.0', '25.0.0', '26.10.0', '100.0.0-pre']
  const old = ['20.20.2', '22.23.3', '24.0.0', '24.14.1', '9.99.0']
  assert.deepEqual(recent.filter(isRecent), recent)
  assert.deepEqual(old.filter(isRecent), [])
})
