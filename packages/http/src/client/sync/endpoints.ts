// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getEvents } from './get-events.ts'
import { initialSync } from './initial-sync.ts'
import { sync } from './sync.ts'

/** Sync, and the endpoints that it replaced. */
export const syncEndpoints: readonly AnyEndpoint[] = [getEvents, initialSync, sync]
