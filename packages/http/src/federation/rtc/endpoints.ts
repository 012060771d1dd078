// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { serveLivekitToken } from './serve-livekit-token.ts'

/** Tokens for calls of users of other servers. */
export const federationRtcEndpoints: readonly AnyEndpoint[] = [serveLivekitToken]
