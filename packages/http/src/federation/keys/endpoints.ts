// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getServerKey } from './get-server-key.ts'
import { bulkPerspectivesKeyQuery, perspectivesKeyQuery } from './query-server-keys.ts'

/** The endpoints where servers' keys are told. */
export const serverKeyEndpoints: readonly AnyEndpoint[] = [getServerKey, perspectivesKeyQuery, bulkPerspectivesKeyQuery]
