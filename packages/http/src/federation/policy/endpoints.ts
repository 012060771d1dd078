// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { askPolicyServerToSign } from './ask-policy-server-to-sign.ts'

/** This server as a policy server. */
export const policyEndpoints: readonly AnyEndpoint[] = [askPolicyServerToSign]
