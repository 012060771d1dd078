// SPDX-License-Identifier: Apache-2.0

/** A compiled statement with its values. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/**
 * A statement was refused, and with it everything of its batch was taken back: it is certain that nothing of it is on disk,
 * so its units may run again.
 */
export class BatchRefused extends Error {
  override readonly name = 'BatchRefused'

  constructor(cause: unknown) {
    super('a batch was taken back', { cause })
  }
}

const texts = new Map<string, boolean>()

/** Whether a statement changes rows of `rooms`. */
export function changesRooms(sql: string): boolean {
  let changes = texts.get(sql)
  if (changes === undefined) {
    changes = /\b(?:update|insert into|delete from) "rooms"/i.test(sql)
    // Texts with lists of varying length would otherwise pile up.
    if (texts.size >= 5000) texts.clear()
    texts.set(sql, changes)
  }
  return changes
}
