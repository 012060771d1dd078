// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getVersion } from './get-version.ts'
import { getWellKnown } from './get-well-known.ts'

/** The address and the version of this server. */
export const federationDiscoveryEndpoints: readonly AnyEndpoint[] = [getVersion, getWellKnown]
