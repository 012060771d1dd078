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

describe('the refusals of other servers', () => {
  const cases: Readonly<Record<string, readonly [shown: readonly RemoteError[], status: number, errcode: string]>> = {
    'with 403 is relayed before all others': [[refused(404, 'M_NOT_FOUND'), refused(403, 'M_ODD')], 403, 'M_FORBIDDEN'],
    'with 400 is relayed with its code': [[refused(400, 'M_BAD_ALIAS')], 400, 'M_BAD_ALIAS'],
    'with 400 is relayed before 404': [[refused(404, 'M_NOT_FOUND'), refused(400, 'M_UNKNOWN')], 400, 'M_UNKNOWN'],
    'with 400 about the request is relayed': [[refused(400, 'M_INVALID_PARAM')], 400, 'M_INVALID_PARAM'],
    'with 401 is not relayed': [[refused(401, 'M_UNKNOWN_TOKEN')], 502, 'M_UNKNOWN'],
    'with 400 never makes a client log out': [[refused(400, 'M_UNKNOWN_TOKEN')], 400, 'M_UNKNOWN'],
    'with 400 and an unknown code is relayed without it': [[refused(400, 'constructor')], 400, 'M_UNKNOWN'],
    'with 400 and no code is relayed': [[refused(400)], 400, 'M_UNKNOWN'],
  }
  for (const [name, [shown, status, errcode]] of Object.entries(cases)) {
    test(name, () => {
      const refusal = refusalOf(shown)
      assert.deepEqual([refusal.status, refusal.code], [status, errcode])
      if (status !== 502) assert.equal(refusal.message, 'words')
    })
  }
})
