// SPDX-License-Identifier: Apache-2.0
import { firstLight } from './0001-first-light.ts'
import type { Migration } from './migration.ts'

/** Every step of the schema, in order. */
export const migrations: readonly Migration[] = [firstLight]
