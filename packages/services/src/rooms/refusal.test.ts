// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { hasSentence } from './refusal.ts'

test('each rule that can refuse an event has a sentence for clients', () => {
  const files = globSync('../../../rules/src/auth/**/*.ts', { cwd: import.meta.dirname })
  const rules = files
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => [...readFileSync(new URL(file, import.meta.url), 'utf8').matchAll(/reject\('([^']+)'\)/g)])
    .map(([, rule]) => rule ?? '')
  assert.ok(rules.length > 40)
  assert.deepEqual(
    rules.filter((rule) => !hasSentence(rule)),
    [],
  )
})
