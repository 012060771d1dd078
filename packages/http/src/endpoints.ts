// SPDX-License-Identifier: Apache-2.0
import { accountEndpoints } from './client/account/endpoints.ts'
import { adminEndpoints } from './client/admin/endpoints.ts'
import { sessionEndpoints } from './client/session/endpoints.ts'
import type { AnyEndpoint } from './endpoint.ts'

/** Every endpoint of the house, one folder of `client/` a line. */
export const clientEndpoints: readonly AnyEndpoint[] = [...accountEndpoints, ...adminEndpoints, ...sessionEndpoints]
