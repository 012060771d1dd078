// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from './log.ts'
import { withLogFields } from './log-context.ts'

test('fields are in the lines of their call only, and a line can replace them', async () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', format: 'text' }, { write: (line) => void lines.push(line) })
  await withLogFields({ id: 'a' }, async () => {
    await Promise.resolve()
    log.info({}, 'one')
    log.info({ id: 'b' }, 'two')
    withLogFields({ id: 'c' }, () => log.info({}, 'three'))
    log.info({}, 'four')
  })
  log.info({}, 'five')
  assert.deepEqual(
    lines.map((line) => line.trimEnd().split('INFO  ')[1]),
    ['one id=a', 'two id=b', 'three id=c', 'four id=a', 'five'],
  )
})
