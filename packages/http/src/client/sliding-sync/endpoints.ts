// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { simplifiedSync } from './simplified-sync.ts'
import { syncV4 } from './sync-v4.ts'

/** Sliding sync, in both its dialects. */
export const slidingSyncEndpoints: readonly AnyEndpoint[] = [simplifiedSync, syncV4]
