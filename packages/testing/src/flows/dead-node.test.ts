// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPostgres } from '@myelin/storage/postgres'
import { createDatabase } from '../databases.ts'
import type { OpenDatabase } from '../databases.ts'
import { dyingNode } from '../dying-node.ts'
import { join, stage } from '../federated-stage.ts'
import { isPartial, partialStage, say } from '../partial-stage.ts'
import type { TestServer } from '../server.ts'

/** Databases that each server shares with a node of its own that holds a lease; `kill` kills all of those nodes. */
function withDyingNodes(reader: string): { readonly open: OpenDatabase; readonly kill: () => Promise<unknown> } {
  const kills: (() => Promise<void>)[] = []
  const open: OpenDatabase = async (events = { committed: () => {} }) => {
    const { url, drop } = await createDatabase(process.env['MYELIN_TEST_POSTGRES'] ?? '')
    kills.push(await dyingNode(url, reader))
    const db = await openPostgres({ connectionString: url, maxReaders: 3 }, events)
    const close = async () => {
      await db.close()
      await drop()
    }
    return { ...db, close }
  }
  return { open, kill: () => Promise.all(kills.map((kill) => kill())) }
}

/** Looks as a node does once a second, but without letting time pass, until something holds. */
async function looked({ rt }: TestServer, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let looks = 0; looks < 2000; looks++) {
    await rt.db.catchUp()
    await new Promise((resolve) => setImmediate(resolve))
    if (await holds()) return true
  }
  return false
}

test('what a node that was killed was to send, another node sends at once', async () => {
  const { open, kill } = withDyingNodes('federation sender')
  const { network, alice, bob, roomId } = await stage(open)
  assert.equal((await join(bob, roomId)).status, 200)
  await say(alice, roomId, 'hello')
  await network.settle()
  const isSent = () =>
    network.crossings.some(({ from, target }) => from === 'one.test' && target.includes('/federation/v1/send/'))
  assert.equal(isSent(), false)
  const now = network.clock.now()
  await kill()
  assert.equal(await looked(alice.server, isSent), true)
  assert.equal(network.clock.now(), now)
  await network.close()
})

test('the members of a room that a node was learning when it was killed, another node learns at once', async () => {
  const { open, kill } = withDyingNodes('partial rooms')
  const { network, bob, roomId, held } = await partialStage(open)
  await network.settle()
  assert.deepEqual(held.asked, [])
  held.answer(undefined)
  const now = network.clock.now()
  await kill()
  assert.equal(await looked(bob.server, async () => !(await isPartial(bob, roomId))), true)
  assert.equal(network.clock.now(), now)
  await network.close()
})
