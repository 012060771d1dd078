// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getTurnServer } from './get-turn-server.ts'

/** Voice and video calls. */
export const callEndpoints: readonly AnyEndpoint[] = [getTurnServer]
