// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { bulkPerspectivesKeyQuery } from './bulk-perspectives-key-query.ts'
import { getServerKey } from './get-server-key.ts'
import { perspectivesKeyQuery } from './perspectives-key-query.ts'

/** Public keys of servers. */
export const serverKeyEndpoints: readonly AnyEndpoint[] = [bulkPerspectivesKeyQuery, getServerKey, perspectivesKeyQuery]
