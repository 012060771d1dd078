// SPDX-License-Identifier: Apache-2.0
import type { ServiceConfig } from '@myelin/kit/settings'
import { encodeBase64 } from '@myelin/matrix/base64'
import { hostnameOf, isUserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { rtcTransports } from '../calls/rtc-transports.ts'
import type { Runtime } from '../runtime/runtime.ts'

/**
 * Returns the client discovery document; undefined where none is configured.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixclient
 */
export function clientWellKnown({ config }: Pick<Runtime, 'config'>): JsonObject | undefined {
  if (!config.wellKnown.servesClient) return undefined
  // The configured members come from a parsed configuration file, so they are JSON.
  const extra = config.wellKnown.extraClientContent as JsonObject
  const foci = livekitFoci(config)
  const rtc = foci.length === 0 ? {} : { 'org.matrix.msc4143.rtc_foci': foci }
  return { 'm.homeserver': { base_url: config.baseUrl }, ...rtc, ...extra }
}

/** Returns the transports of calls in the form of older clients, which know LiveKit by the URL of its token service only. */
function livekitFoci(config: ServiceConfig): JsonObject[] {
  return rtcTransports(config).filter(({ type, livekit_service_url: url }) => type === 'livekit' && url !== undefined)
}

/**
 * Returns the server discovery document, which delegates to port 443; undefined where it is not enabled.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#getwell-knownmatrixserver
 */
export function serverWellKnown({
  config,
  serverName,
}: Pick<Runtime, 'config' | 'serverName'>): JsonObject | undefined {
  return config.wellKnown.servesServer ? { 'm.server': `${hostnameOf(serverName)}:443` } : undefined
}

/**
 * Returns the support document; undefined where no contact is configured.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixsupport
 */
export function supportWellKnown({ config: { adminContact } }: Pick<Runtime, 'config'>): JsonObject | undefined {
  if (adminContact === undefined) return undefined
  if (/^https?:\/\//i.test(adminContact)) return { support_page: adminContact }
  const role = 'm.role.admin'
  if (isUserId(adminContact)) return { contacts: [{ role, matrix_id: adminContact }] }
  return { contacts: [{ role, email_address: adminContact.replace(/^mailto:/i, '') }] }
}

/**
 * Returns the public keys of the policy server with this name; undefined where there is none.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixpolicy_server
 */
export function policyServerWellKnown({
  config,
  otherKeys,
}: Pick<Runtime, 'config' | 'otherKeys'>): JsonObject | undefined {
  const own = otherKeys.policy && { ed25519: encodeBase64(otherKeys.policy.publicKey) }
  const keys = config.wellKnown.policyServerKeys ?? own
  return keys && { public_keys: keys }
}
