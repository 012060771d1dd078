// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'

/**
 * A step of the schema, forward only. Each engine replaces `{id}`, `{bytes}` and `{compact}` with its own words. A statement that
 * begins with `{with …}` is for engines with that feature only.
 */
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
  /** The features of the engine that statements ask for. */
  readonly features: readonly string[]
}

/** Returns the statements of a migration that an engine runs, in its words. */
export function statementsFor({ statements }: Pick<Migration, 'statements'>, spelling: Spelling): string[] {
  return statements.flatMap((statement) => {
    const [mark = '', feature] = /^\{with ([a-z ]+)\}/.exec(statement) ?? []
    if (feature !== undefined && !spelling.features.includes(feature)) return []
    return [spelled(statement.slice(mark.length), spelling)]
  })
}

function spelled(statement: string, spelling: Spelling): string {
  return statement
    .replaceAll('{id}', spelling.id)
    .replaceAll('{bytes}', spelling.bytes)
    .replaceAll('{compact}', spelling.compact)
}

/** Returns the SHA-256, in hexadecimal, of a migration's id and its statements as they are written, before they are spelled. */
export function checksumOf({ id, statements }: Pick<Migration, 'id' | 'statements'>): string {
  return hash('sha256', JSON.stringify([id, statements]))
}
