// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../endpoint.ts'
import { getFederatedContent, getFederatedThumbnail } from './media/content.ts'
import { federationQueryEndpoints } from './queries/endpoints.ts'
import { federationRoomEndpoints } from './rooms/endpoints.ts'
import { federationUserEndpoints } from './users/endpoints.ts'

/** What other servers may read from us. */
export const federationReadingEndpoints: readonly AnyEndpoint[] = [
  ...federationRoomEndpoints,
  ...federationQueryEndpoints,
  ...federationUserEndpoints,
  getFederatedContent,
  getFederatedThumbnail,
]
