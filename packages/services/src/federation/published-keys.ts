// SPDX-License-Identifier: Apache-2.0
import { encodeBase64 } from '@myelin/matrix/base64'
import type { JsonObject } from '@myelin/matrix/json'
import { signJson } from '@myelin/matrix/signatures'
import type { Runtime } from '../runtime.ts'

/**
 * The document in which this server publishes its keys, signed.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server
 */
export function publishedKeys(rt: Pick<Runtime, 'clock' | 'config' | 'serverName' | 'signingKey'>): JsonObject {
  const { oldSigningKeys, keyRefreshMs } = rt.config.federation
  const old = oldSigningKeys.map(({ keyId, publicKey, expiredTs }) => [
    keyId,
    { key: publicKey, expired_ts: expiredTs },
  ])
  const document = {
    server_name: rt.serverName,
    verify_keys: { [rt.signingKey.id]: { key: encodeBase64(rt.signingKey.publicKey) } },
    old_verify_keys: Object.fromEntries(old) as JsonObject,
    valid_until_ts: rt.clock.now() + keyRefreshMs,
  }
  return signJson(document, rt.serverName, rt.signingKey)
}
