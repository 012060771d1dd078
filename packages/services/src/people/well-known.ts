// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import type { Runtime } from '../runtime.ts'

/**
 * Where clients find this server; undefined where it does not say.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixclient
 */
export function clientWellKnown({ config }: Pick<Runtime, 'config'>): JsonObject | undefined {
  if (!config.wellKnown.servesClient) return undefined
  // What the admin adds comes out of a parsed configuration file, so it is JSON.
  const extra = config.wellKnown.extraClientContent as JsonObject
  return { 'm.homeserver': { base_url: config.baseUrl }, ...extra }
}
