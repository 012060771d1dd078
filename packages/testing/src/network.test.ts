// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ServerName } from '@myelin/matrix/ids'
import { RemoteError } from '@myelin/remote/remote-error'
import { testNetwork } from './network.ts'
import type { Faults, TestNetwork } from './network.ts'

/** Calls two.test from one.test that many times, and answers which came through, in the order of arrival. */
async function calls(network: TestNetwork, count: number): Promise<string[]> {
  const { remote } = network.server('one.test').rt
  const arrived: string[] = []
  const all = Array.from({ length: count }, async (_, index) => {
    try {
      await remote.call('two.test' as ServerName, {
        method: 'GET',
        target: `/_matrix/federation/v1/version?${index}`,
        timeoutMs: 1000,
      })
      arrived.push(String(index))
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error
    }
  })
  await network.settle()
  await Promise.all(all)
  return arrived
}

async function withNetwork(run: (network: TestNetwork) => Promise<void>, seed = 'a'): Promise<void> {
  const network = await testNetwork({ servers: 2, seed })
  await run(network)
  await network.close()
}

const inOrder = Array.from({ length: 20 }, (_, index) => String(index))

describe('the network of a test', () => {
  test('carries everything in order where nothing is said', () =>
    withNetwork(async (network) => assert.deepEqual(await calls(network, 20), inOrder)))

  test('loses requests and answers', () =>
    withNetwork(async (network) => {
      network.setFaults({ loss: 0.5 })
      const arrived = await calls(network, 40)
      const answered = network.crossings.filter(({ status }) => status === 200).length
      assert.ok(arrived.length > 5 && arrived.length < 35)
      assert.equal(answered, arrived.length)
    }))

  test('delays so that who comes later may arrive earlier, and too late is never', () =>
    withNetwork(async (network) => {
      network.setFaults({ delayMs: 900 })
      const arrived = await calls(network, 20)
      assert.notDeepEqual(arrived, inOrder)
      assert.deepEqual(
        arrived.toSorted((a, b) => Number(a) - Number(b)),
        inOrder,
      )
      network.setFaults({ delayMs: 100_000 })
      assert.ok((await calls(network, 20)).length < 5)
    }))

  test('does the same again for the same seed, and something else for another', async () => {
    const faults: Faults = { loss: 0.3, delayMs: 500 }
    const runs: string[][] = []
    for (const seed of ['a', 'a', 'b']) {
      await withNetwork(async (network) => {
        network.setFaults(faults)
        runs.push(await calls(network, 20))
      }, seed)
    }
    assert.deepEqual(runs[0], runs[1])
    assert.notDeepEqual(runs[0], runs[2])
  })

  test('can be cut in two, and heals', () =>
    withNetwork(async (network) => {
      network.partition(['one.test'], ['two.test'])
      assert.deepEqual(await calls(network, 3), [])
      network.heal()
      assert.deepEqual(await calls(network, 3), ['0', '1', '2'])
    }))
})
