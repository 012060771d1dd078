// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ServerName } from '@myelin/matrix/ids'
import { KeyFetches } from './key-fetches.ts'
import { RemoteError } from './remote-error.ts'

const far = 'far.test' as ServerName
const failing = () => Promise.reject(new RemoteError('unreachable', 'gone'))

/** Returns the number of requests sent for these queries, one every second. */
async function asked(seconds: number, ask: () => Promise<unknown>): Promise<number> {
  const fetches = new KeyFetches()
  let count = 0
  for (let second = 0; second < seconds; second++) {
    const counted = (): Promise<unknown> => {
      count++
      return ask()
    }
    await fetches.run(far, second * 1000, counted).catch(() => {})
  }
  return count
}

describe('questions for keys', () => {
  test('to one server come a few in a row, then one in ten seconds', async () => {
    const count = await asked(600, async () => {})
    assert.ok(count >= 60 && count <= 66, String(count))
  })

  test('to a server that does not answer come ever more seldom, but every five minutes', async () => {
    const count = await asked(3600, failing)
    assert.ok(count >= 12 && count <= 17, String(count))
  })

  test('are not asked above a number at once, however many names there are', async () => {
    const fetches = new KeyFetches()
    const gates: (() => void)[] = []
    const waiting = (): Promise<void> => new Promise((resolve) => void gates.push(resolve))
    const all = Array.from({ length: 500 }, (_, index) => fetches.run(`s${index}.test` as ServerName, 0, waiting))
    const settled = Promise.allSettled(all)
    assert.equal(gates.length, 200)
    for (const open of gates) open()
    assert.equal((await settled).filter(({ status }) => status === 'rejected').length, 300)
    const again = fetches.run('s499.test' as ServerName, 0, async () => 'asked')
    assert.equal(await again, 'asked')
  })
})
