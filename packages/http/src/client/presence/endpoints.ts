// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getPresence } from './get-presence.ts'
import { setPresence } from './set-presence.ts'

/** Presence. */
export const presenceEndpoints: readonly AnyEndpoint[] = [getPresence, setPresence]
