// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { sync } from './sync.ts'

/** Sync. */
export const syncEndpoints: readonly AnyEndpoint[] = [sync]
