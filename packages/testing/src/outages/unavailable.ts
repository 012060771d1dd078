// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { Answer } from '@myelin/testing/server'

/** Asserts that a request was refused because of an outage, in the form that clients repeat it after. */
export function assertUnavailable({ status, body, headers }: Answer): void {
  assert.equal(status, 503)
  assert.equal(body['errcode'], 'M_UNKNOWN')
  assert.match(String(headers['retry-after']), /^[1-9]\d*$/)
}
