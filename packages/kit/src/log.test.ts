// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createLog, type LogFormat, type LogLevel, withLogFields } from './log.ts'

function recorded(level: LogLevel, format: LogFormat) {
  const lines: string[] = []
  return { lines, log: createLog({ level, format }, { write: (line) => void lines.push(line) }) }
}

describe('a log', () => {
  test('writes one JSON object a line, with the fields of its parents', () => {
    const { lines, log } = recorded('info', 'json')
    log.child({ part: 'sync' }).info({ room: '!r' }, 'woke up')
    const { time, ...rest } = JSON.parse(lines[0]!) as Record<string, unknown>
    assert.deepEqual(rest, { level: 'info', part: 'sync', room: '!r', msg: 'woke up' })
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.ok(lines[0]!.endsWith('}\n'))
  })

  test('writes nothing below its level', () => {
    const { lines, log } = recorded('warn', 'json')
    log.debug({}, 'a')
    log.info({}, 'b')
    log.warn({}, 'c')
    log.error({}, 'd')
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
      ['c', 'd'],
    )
  })

  test('takes another level, and so do the logs made from it', () => {
    const { lines, log } = recorded('warn', 'json')
    const child = log.child({ part: 'sync' })
    child.info({}, 'a')
    log.setLevel('info')
    child.info({}, 'b')
    log.setLevel('error')
    child.warn({}, 'c')
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
      ['b'],
    )
  })

  test('writes an error with its stack and its cause, in either format', () => {
    const error = new Error('outer', { cause: new Error('inner') })
    for (const format of ['json', 'text'] as const) {
      const { lines, log } = recorded('info', format)
      log.error({ err: error }, 'it broke')
      assert.match(lines.join(''), /outer[^]*log\.test\.ts[^]*inner/)
    }
  })

  test('writes text as time, level, message, fields', () => {
    const { lines, log } = recorded('info', 'text')
    log.info({ port: 8008, address: '127.0.0.1', name: 'two words' }, 'listening')
    assert.match(lines[0]!, /^\S+Z INFO {2}listening port=8008 address=127\.0\.0\.1 name="two words"\n$/)
  })

  test('never lets what a client sent start a line of its own', () => {
    const { lines, log } = recorded('info', 'text')
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(text, text, (message, value) => {
        lines.length = 0
        log.info({ value, [value]: 1 }, `${message}\n2026-01-01T00:00:00Z INFO forged \u001b[2J`)
        assert.equal(lines.length, 1)
        assert.doesNotMatch(lines[0]!.slice(0, -1), /[\p{Cc}\u2028\u2029]/u)
      }),
    )
  })
})

test('fields are in the lines of their call only, and a line can replace them', async () => {
  const { lines, log } = recorded('info', 'text')
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
