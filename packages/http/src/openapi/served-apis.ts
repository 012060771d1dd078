// SPDX-License-Identifier: Apache-2.0
import { clientEndpoints, federationEndpoints, monitoringEndpoints } from '../app/endpoints.ts'
import type { ApiEndpoints } from './document.ts'

/** The APIs this server serves, under the names of the spec's folders; `monitoring` is not in the spec. */
export const servedApis: readonly ApiEndpoints[] = [
  { name: 'client-server', endpoints: clientEndpoints.filter((each) => !federationEndpoints.includes(each)) },
  { name: 'server-server', endpoints: federationEndpoints },
  { name: 'monitoring', endpoints: monitoringEndpoints },
]
