// SPDX-License-Identifier: Apache-2.0
import type { Nid } from './schema.ts'

/** A change of one state key; no event takes the key out. */
export interface StateChange {
  readonly key: Nid
  readonly event: Nid | undefined
}
