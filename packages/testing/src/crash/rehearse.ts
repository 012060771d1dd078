// SPDX-License-Identifier: Apache-2.0
import { isMainThread } from 'node:worker_threads'
import { CRASH_POINTS, rehearse } from '@myelin/kit/crash-point'

/**
 * Loaded into a server before anything else (`node --import`): `MYELIN_CRASH_AT` is the place to die at and how often to pass
 * it before, as `2 committed`; `MYELIN_CHECKPOINT_CHANGES` after how many changed rows the log is copied back,
 * `MYELIN_HAND_OVER_FROM` how many statements the thread that writes is given.
 */
const { MYELIN_CRASH_AT: order = '', MYELIN_CHECKPOINT_CHANGES: changes, MYELIN_HAND_OVER_FROM: many } = process.env
const [, passes = '0', point = ''] = /^(\d+) (.+)$/.exec(order) ?? []
if (order !== '' && !CRASH_POINTS.some((known) => known === point)) throw new Error(`there is no place ${point}`)
// A thread that copies the log passes its place once in its life.
let left = isMainThread ? Number(passes) : 0
rehearse({
  ...(many === undefined ? {} : { handOverFrom: Number(many) }),
  ...(changes === undefined ? {} : { checkpointChanges: Number(changes) }),
  reach: (reached) => {
    if (reached === point && left-- === 0) process.kill(process.pid, 'SIGKILL')
  },
})
