// SPDX-License-Identifier: Apache-2.0
import { encodeBase64 } from '@myelin/matrix/base64'
import type { JsonObject } from '@myelin/matrix/json'
import { signJson } from '@myelin/matrix/signatures'
import type { Runtime } from '../../runtime/runtime.ts'

/**
 * Returns this server's key document, signed with each of its keys.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server
 */
export function publishedKeys(
  rt: Pick<Runtime, 'clock' | 'config' | 'serverName' | 'signingKey' | 'otherKeys'>,
): JsonObject {
  const { oldSigningKeys, keyRefreshMs } = rt.config.federation
  const old = oldSigningKeys.map(({ keyId, publicKey, expiredTs }) => [
    keyId,
    { key: publicKey, expired_ts: expiredTs },
  ])
  const keys = [rt.signingKey, ...rt.otherKeys.published]
  const document: JsonObject = {
    server_name: rt.serverName,
    verify_keys: Object.fromEntries(keys.map(({ id, publicKey }) => [id, { key: encodeBase64(publicKey) }])),
    old_verify_keys: Object.fromEntries(old) as JsonObject,
    valid_until_ts: rt.clock.now() + keyRefreshMs,
  }
  return keys.reduce((signed, key) => signJson(signed, rt.serverName, key), document)
}
