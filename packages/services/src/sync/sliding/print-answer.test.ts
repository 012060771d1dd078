// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomId } from '@myelin/matrix/ids'
import { printAnswer } from './print-answer.ts'
import type { RoomResult } from './room-result.ts'
import type { Dialect } from './sliding-request.ts'
import type { AnsweredScope } from './sliding-scope.ts'

const roomId = '!room:one.test' as RoomId
const common = { isInitial: false, isExpanded: false, requiredState: [], deletedState: [] }

/** Prints one room of an answer. */
function printed(dialect: Dialect, result: RoomResult): unknown {
  const window = { count: 3, parts: [{ range: [0, 0] as const, rooms: [roomId] }] }
  const scope: Pick<AnsweredScope, 'request' | 'windows' | 'results'> = {
    request: { dialect } as AnsweredScope['request'],
    windows: { lists: new Map([['all', window]]), rooms: new Map(), matching: () => new Set() },
    results: new Map([[roomId, result]]),
  }
  return printAnswer(scope, 'pos', {})
}

test('deleted state is a stub in the newer dialect; the older one has no word for it', () => {
  const stub = { type: 'm.room.topic', state_key: '' }
  const result = { ...common, membership: 'join', deletedState: [stub], name: null }
  assert.deepEqual(printed('v4', result), {
    pos: 'pos',
    lists: { all: { count: 3 } },
    rooms: { [roomId]: { membership: 'join', name: null, required_state: [stub] } },
    extensions: {},
  })
  assert.deepEqual(printed('msc3575', result), {
    pos: 'pos',
    lists: { all: { count: 3, ops: [{ op: 'SYNC', range: [0, 0], room_ids: [roomId] }] } },
    rooms: { [roomId]: { notification_count: 0, highlight_count: 0 } },
    extensions: {},
  })
})
