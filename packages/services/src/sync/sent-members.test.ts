// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testRuntime } from '@myelin/testing/runtime'
import { recordSentMembers, unsentMembers } from './sent-members.ts'
import type { Slice } from './sync-request.ts'

const MOST = 200

/** A slice of a device under lazy loading, after a token of a position. */
function sliceOf(device: string, upTo: number, since?: { readonly begun: number; readonly position: number }): Slice {
  const request = {
    requester: { userId: '@alice:one.test', deviceId: device },
    filter: { state: { includeRedundantMembers: false } },
  }
  return { request, since, upTo: { position: upTo } } as unknown as Slice
}

test('a device is sent again exactly the last 200 members that it may lack', async (t) => {
  const rt = await testRuntime()
  t.after(() => rt.close())
  let devices = 0
  const member = fc.integer({ min: 1, max: 260 })
  const response = fc.record({
    moves: fc.boolean(),
    events: fc.oneof(
      fc.uniqueArray(member, { maxLength: 5 }),
      fc.uniqueArray(member, { minLength: 120, maxLength: 230 }),
    ),
    asked: fc.uniqueArray(member, { maxLength: 12 }),
    begun: fc.integer({ min: 1, max: 8 }),
    position: fc.integer({ min: 1, max: 12 }),
  })
  fc.assert(
    fc.property(fc.array(response, { maxLength: 12 }), (responses) => {
      const device = `D${devices++}`
      const model = new Map<number, number>()
      let upTo = 1
      for (const { moves, events, asked, begun, position } of responses) {
        if (moves) upTo++
        recordSentMembers(rt.db.read, sliceOf(device, upTo), events)
        for (const event of events) {
          model.delete(event)
          model.set(event, upTo)
        }
        for (const oldest of [...model.keys()].slice(0, Math.max(0, model.size - MOST))) model.delete(oldest)
        const lacks = asked.filter((event) => {
          const at = model.get(event)
          return at === undefined || at < begun || at > position
        })
        assert.deepEqual(unsentMembers(rt.db.read, sliceOf(device, upTo, { begun, position }), asked), lacks)
      }
    }),
    { numRuns: 300 },
  )
})
