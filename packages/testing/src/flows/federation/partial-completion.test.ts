// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { completeRoom } from '@myelin/services/rooms/partial/complete-room'
import { partialRoom } from '@myelin/storage/federation/partial-rooms'
import { onEveryDatabase, openTemporarySqlite } from '../../databases.ts'
import { create, standing, stateOn } from '../../stages/federated-stage.ts'
import {
  arrives,
  becomesWhole,
  checkConsistency,
  holdStates,
  isPartial,
  partialStage,
  passing,
  say,
  SILENCE,
} from '../../stages/partial-stage.ts'
import type { Answering } from '../../stages/partial-stage.ts'

const lists = (answer: JsonObject, key: string) => answer[key] as readonly string[]
/** Changes what one.test says of the state; three.test is honest. */
const said =
  (change: (answer: JsonObject) => JsonObject): Answering =>
  async (server, _target, honest) =>
    server === 'one.test' ? change(await honest()) : honest()

/** Answers to a request for the members of a room. */
const HOSTILE: Readonly<Record<string, Answering>> = {
  nothing: said(() => ({})),
  'no list': said(() => ({ pdu_ids: {}, auth_chain_ids: 7 })),
  'ids that are none': said(() => ({ pdu_ids: [1, null, {}, 'x'.repeat(100_000)], auth_chain_ids: [] })),
  'events that nobody has': said((answer) => ({
    ...answer,
    pdu_ids: [
      ...lists(answer, 'pdu_ids'),
      ...Array.from({ length: 10 }, (_, at) => `$${String(at).padStart(43, 'a')}`),
    ],
  })),
  'every event twice': said((answer) => ({
    ...answer,
    pdu_ids: [...lists(answer, 'pdu_ids'), ...lists(answer, 'pdu_ids')],
  })),
}

describe('the members of a room', () => {
  for (const [name, answering] of Object.entries(HOSTILE)) {
    test(`are learned where the first server sends ${name}`, async () => {
      const set = await partialStage(openTemporarySqlite)
      const { network, alice, bob, roomId, held } = set
      held.answer(answering)
      await becomesWhole(set)
      assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
      await checkConsistency(bob)
      await network.close()
    })
  }

  test('are not those of another room', async () => {
    const set = await partialStage(openTemporarySqlite)
    const { network, alice, bob, carol, roomId, held } = set
    const other = await create(alice, { preset: 'public_chat' })
    const ids = await stateOn(alice, other)
    held.answer(async (server, target, honest) => {
      const answer = await honest()
      return target.includes('/state_ids/') ? { pdu_ids: ids, auth_chain_ids: [] } : { ...answer, server }
    })
    await passing(
      set,
      network.settle(() => held.asked.length >= 6),
    )
    assert.equal(await isPartial(bob, roomId), true)
    held.answer(undefined)
    await becomesWhole(set)
    assert.equal(await standing(bob, roomId, carol.userId), 'join')
    await checkConsistency(bob)
    await network.close()
  })

  test('are all there is to learn: what the room is stays as it was shown', async () => {
    const set = await partialStage(openTemporarySqlite)
    const { network, alice, bob, roomId, held } = set
    const shown = await stateOn(bob, roomId)
    held.answer(async (_server, target, honest) => {
      const answer = await honest()
      if (!target.includes('/state_ids/')) return answer
      // Servers that are queried later omit the name, the topic, the power levels and everything else except members.
      return { ...answer, pdu_ids: lists(answer, 'pdu_ids').filter((id) => !shown.includes(id)) }
    })
    await becomesWhole(set)
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    await network.close()
  })
})

onEveryDatabase('learning the members of a room', (open) => {
  test('goes on behind what was done when the server stopped, without asking again', async () => {
    const set = await partialStage(open)
    const { network, alice, roomId, held } = set
    await arrives(set, await say(alice, roomId, 'before'), set.bob)
    const stopped = new AbortController()
    const { rt, workers } = set.bob.server
    await workers.completions.close()
    const entered = await partialRoom(rt.db.read, roomId)
    assert.ok(entered)
    held.answer((_server, _target, honest) => {
      stopped.abort()
      return honest()
    })
    assert.equal(await completeRoom(rt, entered, stopped.signal), 'incomplete')
    assert.notEqual((await partialRoom(rt.db.read, roomId))?.fullRoot, 0)
    const server = await network.restart('two.test')
    const bob = { ...set.bob, server }
    const again = holdStates(server, SILENCE)
    await becomesWhole({ ...set, bob })
    assert.deepEqual(again.asked, [])
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    await checkConsistency(bob)
    await network.close()
  })
})
