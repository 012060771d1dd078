// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../endpoint.ts'
import { federationRoomEndpoints } from './rooms/endpoints.ts'

/** What other servers may read from us. */
export const federationReadingEndpoints: readonly AnyEndpoint[] = [...federationRoomEndpoints]
