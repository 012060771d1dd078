// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { LineOutput } from './line-output.ts'

test('a line that the system refuses is dropped and counted, and later lines are written', () => {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-log-'))
  const path = join(folder, 'log')
  // A descriptor for reading refuses every write; then its number is given to a file that takes them.
  const refusing = openSync('/dev/null', 'r')
  const reports: number[] = []
  const output = new LineOutput(refusing, (lines) => reports.push(lines))
  output.write('one\n')
  output.write('two\n')
  closeSync(refusing)
  const fd = openSync(path, 'w')
  assert.equal(fd, refusing)
  output.write('three\n')
  output.write('four\n')
  closeSync(fd)
  assert.deepEqual(reports, [2])
  assert.equal(readFileSync(path, 'utf8'), 'three\nfour\n')
  rmSync(folder, { recursive: true })
})

test('a log on a full disk hurts nothing that is logged', { skip: process.platform !== 'linux' }, () => {
  const output = JSON.stringify(new URL('line-output.ts', import.meta.url).href)
  const script = `import { createStandardLog } from ${output}
    const log = createStandardLog({ level: 'info', format: 'json' })
    for (let line = 0; line < 3; line++) log.error({ err: new Error('no space') }, 'request failed')
    process.stderr.write('went on')`
  const full = openSync('/dev/full', 'w')
  const args = ['--input-type=module', '-e', script]
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
  closeSync(full)
  assert.deepEqual([status, stderr], [0, 'went on'])
})
