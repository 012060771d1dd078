// SPDX-License-Identifier: Apache-2.0
import type { Config } from './schema.ts'
import { readPolicyKey, readSigningKeys } from './values/signing-key.ts'

/**
 * Reports a fault if the key of the policy server is also a signing key of this server, or if `.well-known` publishes a
 * different one.
 *
 * With one key for both, a signature of this server would count as a signature of the policy server.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures
 */
export function checkPolicyKey(
  { policyKeyPath, server, wellKnown }: Pick<Config, 'policyKeyPath' | 'server' | 'wellKnown'>,
  fault: (key: string, message: string) => void,
): void {
  if (policyKeyPath === undefined) return
  const policyKey = Buffer.from(readPolicyKey(policyKeyPath).publicKey)
  if (readSigningKeys(server.signingKeyPath).some(({ publicKey }) => policyKey.equals(publicKey))) {
    fault('policy_server.signing_key_path', 'names a key that this server signs with anyway; make another one for it')
  }
  if (wellKnown.policyServerKeys !== undefined) {
    fault(
      'policy_server_public_keys',
      'is for a policy server that is another program; policy_server publishes its own key',
    )
  }
}
