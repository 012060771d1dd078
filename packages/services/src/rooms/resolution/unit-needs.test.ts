// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomId } from '@myelin/matrix/ids'
import type { Tx } from '@myelin/storage/engine/database'
import { onEveryDatabase } from '@myelin/testing/databases'
import { roomVersionOf } from '../../room-state/versions.ts'
import { ResolutionNeed, writeMeeting } from './unit-needs.ts'

const need = (root: number) => new ResolutionNeed('!room:test' as RoomId, roomVersionOf('11'), [root])
const putSetting = (tx: Tx, name: string) => tx.insertInto('settings').values({ name, value: '' }).execute()

onEveryDatabase('a unit of work that returns a need', (open) => {
  test('leaves nothing behind, and runs again once the need is met', async () => {
    const db = await open()
    const met: (readonly number[])[] = []
    const outcome = await writeMeeting(
      db,
      async (tx) => {
        await putSetting(tx, `round ${met.length}`)
        return met.length < 2 ? need(met.length) : 'done'
      },
      async (each: ResolutionNeed) => void met.push(each.roots),
    )
    const kept = await db.read.selectFrom('settings').select('name').where('name', 'like', 'round %').execute()
    assert.equal(outcome, 'done')
    assert.deepEqual(met, [[0], [1]])
    assert.deepEqual(
      kept.map(({ name }) => name),
      ['round 2'],
    )
    await db.close()
  })

  test('fails, and leaves nothing behind, where meeting it fails or where its needs have no end', async () => {
    const db = await open()
    const write = (meet: () => Promise<void>) =>
      writeMeeting(
        db,
        async (tx) => {
          await putSetting(tx, 'never')
          return need(1)
        },
        meet,
      )
    await assert.rejects(
      write(() => Promise.reject(new Error('refused'))),
      /refused/,
    )
    await assert.rejects(
      write(async () => {}),
      /needs/,
    )
    assert.deepEqual(await db.read.selectFrom('settings').select('name').where('name', '=', 'never').execute(), [])
    await db.close()
  })
})
