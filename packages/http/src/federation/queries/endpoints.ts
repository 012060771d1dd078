// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getFederatedPublicRooms, queryFederatedPublicRooms } from './public-rooms.ts'
import { queryInfo, queryProfile, queryRoomDirectory } from './query.ts'

/** What other servers may look up. */
export const federationQueryEndpoints: readonly AnyEndpoint[] = [
  queryRoomDirectory,
  queryProfile,
  queryInfo,
  getFederatedPublicRooms,
  queryFederatedPublicRooms,
]
