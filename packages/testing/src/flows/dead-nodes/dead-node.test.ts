// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import { createDatabase, testOnPostgres } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { dyingNode } from '../../dead-nodes/dying-node.ts'
import { join, stage, user } from '../../stages/federated-stage.ts'
import { isPartial, say } from '../../stages/partial-stage.ts'
import type { TestServer } from '../../server.ts'

/**
 * PostgreSQL databases, of which the one that is opened as the `place`th (from 0) is shared with a node that holds a lease.
 * `kill` kills that node.
 */
function withDyingNode(
  reader: string,
  place: number,
): { readonly open: OpenDatabase; readonly kill: () => Promise<void> } {
  const dying: { kill?: () => Promise<void> } = {}
  let opened = 0
  const open: OpenDatabase = async (events = { committed: () => {} }) => {
    const isShared = opened++ === place
    const { url, drop } = await createDatabase()
    if (isShared) dying.kill = await dyingNode(url, reader)
    const db = await openPostgres({ connectionString: url, maxReaders: 3 }, events)
    const close = async () => {
      await db.close()
      await drop()
    }
    return { ...db, close }
  }
  return { open, kill: async () => dying.kill?.() }
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

testOnPostgres('the pending transactions of a killed node are sent by another node at once', async () => {
  const { open, kill } = withDyingNode('federation sender', 0)
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

testOnPostgres(
  'the members of a room that a node was learning when it was killed, another node learns at once',
  async () => {
    const { open, kill } = withDyingNode('partial rooms', 1)
    const { network, bob, roomId } = await stage(open)
    const ann = await user(network, 'ann', 'one.test')
    await join(ann, roomId)
    // Bob is let wait a moment for the members, and then answered without them.
    let status = 0
    void join(bob, roomId).then((answer) => (status = answer.status))
    assert.equal(await looked(bob.server, () => isPartial(bob, roomId)), true)
    await network.settle(() => status !== 0)
    assert.equal(status, 200)
    const now = network.clock.now()
    await kill()
    assert.equal(await looked(bob.server, async () => !(await isPartial(bob, roomId))), true)
    assert.equal(network.clock.now(), now)
    await network.close()
  },
)
