// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getPushers } from './get-pushers.ts'
import { postPusher } from './post-pusher.ts'

/** Pushers. */
export const pusherEndpoints: readonly AnyEndpoint[] = [getPushers, postPusher]
