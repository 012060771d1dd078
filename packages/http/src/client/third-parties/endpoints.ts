// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getProtocolMetadata } from './get-protocol-metadata.ts'
import { getProtocols } from './get-protocols.ts'
import { queryLocationByAlias } from './query-location-by-alias.ts'
import { queryLocationByProtocol } from './query-location-by-protocol.ts'
import { queryUserById } from './query-user-by-id.ts'
import { queryUserByProtocol } from './query-user-by-protocol.ts'

/** Lookups in networks that application services bridge. */
export const thirdPartyEndpoints: readonly AnyEndpoint[] = [
  getProtocolMetadata,
  getProtocols,
  queryLocationByAlias,
  queryLocationByProtocol,
  queryUserById,
  queryUserByProtocol,
]
