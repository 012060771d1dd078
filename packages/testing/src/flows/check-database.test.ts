// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDatabase } from '@myelin/services/check-database'
import type { Tx } from '@myelin/storage/engine/database'
import { EVERY_TOPIC } from '@myelin/storage/engine/topic-positions'
import { onEveryDatabase } from '../databases.ts'
import { authorRoom } from '../room-author.ts'
import { testRuntime } from '../runtime.ts'
import type { TestRuntime } from '../runtime.ts'

const alice = '@alice:one.test'

async function faultsOf(rt: TestRuntime): Promise<string[]> {
  rt.db.read.caches.clear()
  const faults: string[] = []
  for await (const { what, fault } of checkDatabase(rt.db.read)) faults.push(`${what}: ${fault}`)
  return faults
}

onEveryDatabase('the check of the database', (open) => {
  const house = async () => {
    const rt = await testRuntime(open)
    const room = await authorRoom(rt, alice, { preset: 'public_chat' })
    await room.member('@bob:two.test', '@bob:two.test', 'join')
    await room.say(alice, 'hello')
    return rt
  }

  test('finds nothing in a house in order, and counts every row', async () => {
    const rt = await house()
    let last: readonly [number, number] = [0, 1]
    for await (const fault of checkDatabase(rt.db.read, (done, all) => (last = [done, all]))) assert.fail(fault.fault)
    assert.equal(last[0], last[1])
    assert.ok(last[0] > 10)
    await rt.close()
  })

  const damages: readonly [name: string, damage: (tx: Tx) => Promise<unknown>, says: RegExp][] = [
    [
      'a node whose bytes were changed',
      (tx) =>
        tx
          .updateTable('state_nodes')
          .set({ hash: Buffer.alloc(16, 1) })
          .where('node_nid', '=', (row) =>
            row.selectFrom('state_nodes').select((all) => all.fn.max('node_nid').as('nid')),
          )
          .execute(),
      /^state node: its bytes are not those its hash names$/,
    ],
    [
      'an event whose content was changed',
      (tx) =>
        tx
          .updateTable('events')
          .set({ pdu: Buffer.from('{"type":"m.room.message","sender":"@x:y"}') })
          .where('type', '=', 'm.room.message')
          .execute(),
      /^event: its content does not give its id$/,
    ],
    [
      'a message that changes state',
      (tx) => tx.updateTable('events').set({ state_before: 0 }).where('type', '=', 'm.room.message').execute(),
      /^event: it changes state and may not$/,
    ],
    [
      'a member the state does not know',
      (tx) => tx.updateTable('members').set({ membership: 'ban' }).execute(),
      /is join in the state and not in the table$/,
    ],
    [
      'a room that counts wrong',
      (tx) => tx.updateTable('rooms').set({ joined_count: 7 }).execute(),
      /^room: it counts 7 joined members, and has 2$/,
    ],
    [
      'a forward extremity that is gone',
      (tx) => tx.updateTable('rooms').set({ extremities: '[999999]' }).execute(),
      /^room: its forward extremity 999999 is missing$/,
    ],
  ]
  for (const [name, damage, says] of damages) {
    test(`finds ${name}`, async () => {
      const rt = await house()
      await rt.db.write(async (tx) => {
        await damage(tx)
        tx.touch(EVERY_TOPIC)
      })
      const faults = await faultsOf(rt)
      assert.ok(
        faults.some((fault) => says.test(fault)),
        faults.join('\n'),
      )
      await rt.close()
    })
  }
})
