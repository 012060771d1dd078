// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoggedRequest } from '@myelin/testing/processes/request-log'
import { endpointsIn, refusalsIn } from './refusals.ts'

const logged = (method: string, path: string, status: number, errcode?: string): LoggedRequest => ({
  method,
  path,
  query: new URLSearchParams(),
  token: '',
  body: {},
  status,
  answer: { errcode },
})

test('errors with an explanation are separated from those without', () => {
  const requests = [
    logged('GET', '/_matrix/client/v1/auth_metadata', 404, 'M_UNRECOGNIZED'),
    logged('PUT', '/rooms/!one:localhost/state', 404, 'M_NOT_FOUND'),
    logged('PUT', '/rooms/%21other:localhost/state', 404, 'M_NOT_FOUND'),
    logged('PUT', '/rooms/!one:localhost/state', 200),
    logged('PUT', '/rooms/!one:localhost/state', 500),
  ]
  assert.deepEqual(
    refusalsIn(requests).map(({ request, answer, count, because }) => [request, answer, count, because !== undefined]),
    [
      ['GET /_matrix/client/v1/auth_metadata', '404 M_UNRECOGNIZED', 1, true],
      ['PUT /rooms/*/state', '404 M_NOT_FOUND', 2, false],
      ['PUT /rooms/*/state', '500 ', 1, false],
    ],
  )
  assert.deepEqual(endpointsIn(requests), [
    ['GET /_matrix/client/v1/auth_metadata', 1],
    ['PUT /rooms/*/state', 4],
  ])
})
