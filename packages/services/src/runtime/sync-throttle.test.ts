// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import { SyncThrottle } from './sync-throttle.ts'

const device = { userId: '@alice:one.test', deviceId: 'A' }

describe('the throttle of long polls', () => {
  for (const { busy, waiting, afterMs } of [
    { busy: 0, waiting: 1, afterMs: 20 },
    { busy: 0.7, waiting: 1, afterMs: 20 },
    { busy: 1, waiting: 1, afterMs: 80 },
    { busy: 0, waiting: 50, afterMs: 100 },
    { busy: 1, waiting: 50, afterMs: 400 },
    { busy: 0, waiting: 400, afterMs: 500 },
    { busy: 1, waiting: 400, afterMs: 500 },
  ]) {
    test(`answers a device again after ${afterMs} ms: ${waiting} wait, the loop is busy for ${busy} of its time`, async () => {
      const clock = new StoppedClock()
      const throttle = new SyncThrottle(clock, { share: () => busy })
      for (let count = 0; count < waiting; count++) throttle.enter()
      await throttle.turnOf(device)
      throttle.answer(device)
      let isTurn = false
      const turn = throttle.turnOf(device).then(() => (isTurn = true))
      clock.advance(afterMs - 1)
      await Promise.resolve()
      assert.equal(isTurn, false)
      clock.advance(1)
      await turn
    })
  }
})
