// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { AuthState } from '@myelin/rules/auth/auth-state'
import { roomVersionOf } from '../../room-state/versions.ts'
import { refusalOf } from './refusal.ts'

test('each rule that can refuse an event has a sentence for clients', () => {
  const files = globSync('../../../../rules/src/auth/**/*.ts', { cwd: import.meta.dirname })
  const rules = files
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => [...readFileSync(new URL(file, import.meta.url), 'utf8').matchAll(/reject\('([^']+)'\)/g)])
    .map(([, rule]) => rule ?? '')
  assert.ok(rules.length > 40)
  const refused = {
    draft: { type: 'm.room.member', sender: '@alice:one.test' as UserId, stateKey: '@bob:one.test' },
    state: new AuthState(roomVersionOf('11'), new Map()),
  }
  const { message: general } = refusalOf('no-such-rule', refused)
  assert.deepEqual(
    rules.filter((rule) => refusalOf(rule, refused).message === general),
    [],
  )
})
