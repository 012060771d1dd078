// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { simplifiedSync } from './sliding/simplified-sync.ts'
import { syncV4 } from './sliding/sync-v4.ts'
import { sync } from './sync.ts'

/** Sync, and sliding sync in both its dialects. */
export const syncEndpoints: readonly AnyEndpoint[] = [sync, simplifiedSync, syncV4]
