// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { defineFilter } from './define-filter.ts'
import { getFilter } from './get-filter.ts'

/** Stored filters. */
export const filterEndpoints: readonly AnyEndpoint[] = [defineFilter, getFilter]
