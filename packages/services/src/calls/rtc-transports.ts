// SPDX-License-Identifier: Apache-2.0
import type { ServiceConfig } from '@myelin/kit/settings'
import type { JsonObject } from '@myelin/matrix/json'

/** The path of the LiveKit token service, below the base URL of this server. */
export const TOKEN_SERVICE = '/_myelin/livekit'

/**
 * Returns the transports of calls: those of the configuration, and the SFU for which this server issues tokens.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4143
 */
export function rtcTransports({ rtc, baseUrl }: Pick<ServiceConfig, 'rtc' | 'baseUrl'>): readonly JsonObject[] {
  // The configured members come from a parsed configuration file, so they are JSON.
  const configured = rtc.transports as readonly JsonObject[]
  if (!rtc.livekit) return configured
  const url = `${baseUrl.replace(/\/$/, '')}${TOKEN_SERVICE}`
  return [...configured, { type: 'livekit', url: rtc.livekit.url, livekit_service_url: url }]
}
