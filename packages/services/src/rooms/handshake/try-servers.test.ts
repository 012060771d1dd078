// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RemoteError } from '@myelin/remote/remote-error'
import { refusalOf } from './try-servers.ts'

const refused = (status: number, errcode?: string) =>
  new RemoteError('refused', 'refused', {
    status,
    body: { error: 'words', ...(errcode === undefined ? {} : { errcode }) },
    ...(errcode === undefined ? {} : { errcode }),
  })

describe('what other servers refuse', () => {
  const cases: Readonly<Record<string, readonly [told: readonly RemoteError[], status: number, errcode: string]>> = {
    'with 403 is told before all else': [[refused(404, 'M_NOT_FOUND'), refused(403, 'M_ODD')], 403, 'M_FORBIDDEN'],
    'with 400 is told in the code they gave': [[refused(400, 'M_BAD_ALIAS')], 400, 'M_BAD_ALIAS'],
    'with 400 is told before that a room is unknown': [
      [refused(404, 'M_NOT_FOUND'), refused(400, 'M_UNKNOWN')],
      400,
      'M_UNKNOWN',
    ],
    'of how we ask is not told': [
      [refused(400, 'M_INVALID_PARAM'), refused(400, 'M_MISSING_PARAM'), refused(400, 'M_BAD_JSON')],
      502,
      'M_UNKNOWN',
    ],
    'never makes a client log out': [
      [refused(401, 'M_UNKNOWN_TOKEN'), refused(400, 'M_UNKNOWN_TOKEN')],
      502,
      'M_UNKNOWN',
    ],
    'in codes nobody knows is not told': [[refused(400, 'constructor'), refused(400)], 502, 'M_UNKNOWN'],
  }
  for (const [name, [told, status, errcode]] of Object.entries(cases)) {
    test(name, () => {
      const refusal = refusalOf(told)
      assert.deepEqual([refusal.status, refusal.code], [status, errcode])
      if (status !== 502) assert.equal(refusal.message, 'words')
    })
  }
})
