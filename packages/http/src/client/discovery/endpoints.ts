// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getCapabilities } from './get-capabilities.ts'
import { getVersions } from './get-versions.ts'
import { getWellknownPolicy } from './get-wellknown-policy.ts'
import { getWellknownSupport } from './get-wellknown-support.ts'
import { getWellknown } from './get-wellknown.ts'

/** The endpoints that a client reads before it logs in. */
export const discoveryEndpoints: readonly AnyEndpoint[] = [
  getCapabilities,
  getVersions,
  getWellknownPolicy,
  getWellknownSupport,
  getWellknown,
]
