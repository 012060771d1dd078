// SPDX-License-Identifier: Apache-2.0

/** A step of the schema, forward only. Each engine replaces `{id}`, `{bytes}` and `{compact}` with its own words. */
export interface Migration {
  readonly id: number
  readonly statements: readonly string[]
}

/** How an engine spells what the migrations leave open. */
export interface Spelling {
  readonly id: string
  readonly bytes: string
  readonly compact: string
}

/** A migration's statement in an engine's words. */
export function spelled(statement: string, spelling: Spelling): string {
  return statement
    .replaceAll('{id}', spelling.id)
    .replaceAll('{bytes}', spelling.bytes)
    .replaceAll('{compact}', spelling.compact)
}
