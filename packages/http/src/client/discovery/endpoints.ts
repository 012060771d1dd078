// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getCapabilities } from './get-capabilities.ts'
import { getVersions } from './get-versions.ts'
import { getWellknown, getWellknownPolicy, getWellknownServer, getWellknownSupport } from './well-known.ts'

/** What a client learns before it does anything. */
export const discoveryEndpoints: readonly AnyEndpoint[] = [
  getCapabilities,
  getVersions,
  getWellknown,
  getWellknownServer,
  getWellknownSupport,
  getWellknownPolicy,
]
