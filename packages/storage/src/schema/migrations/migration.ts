// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'

/** A step of the schema, forward only. Each engine replaces `{id}`, `{bytes}` and `{compact}` with its own words. */
export interface Migration {
  readonly id: number
  /**
   * The newest migration that a Myelin must know to use the database once this one is applied. Absent, it is this migration
   * itself: older versions are refused.
   */
  readonly compatVersion?: number
  readonly statements: readonly string[]
}

/** The engine-specific parts of a migration. */
export interface Spelling {
  readonly id: string
  readonly bytes: string
  readonly compact: string
}

/** Returns a migration's statement in an engine's words. */
export function spelled(statement: string, spelling: Spelling): string {
  return statement
    .replaceAll('{id}', spelling.id)
    .replaceAll('{bytes}', spelling.bytes)
    .replaceAll('{compact}', spelling.compact)
}

/** Returns the SHA-256, in hexadecimal, of a migration's id and its statements as they are written, before they are spelled. */
export function checksumOf({ id, statements }: Pick<Migration, 'id' | 'statements'>): string {
  return hash('sha256', JSON.stringify([id, statements]))
}
