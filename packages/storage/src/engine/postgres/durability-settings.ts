// SPDX-License-Identifier: Apache-2.0

/** Settings of the server on which it depends whether a commit outlives a loss of power: `on` or something else. */
export interface DurabilitySettings {
  readonly fsync: string
  readonly full_page_writes: string
  readonly synchronous_commit: string
}

/** Asks for them, on a connection that writes: each of those has set `synchronous_commit` for itself. */
export const READ_DURABILITY_SETTINGS = `select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
  current_setting('synchronous_commit') as synchronous_commit`

/** What may be lost under these settings, in words; nothing where all is well. */
export function durabilityNotices(promises: DurabilitySettings | undefined): string[] {
  return [
    ...(promises?.fsync === 'off' ? ['fsync is off in PostgreSQL: a loss of power may take all of the database'] : []),
    ...(promises?.full_page_writes === 'off'
      ? ['full_page_writes is off in PostgreSQL: a loss of power may leave pages that are half written']
      : []),
    // A pooler in between may take settings back.
    ...(promises?.synchronous_commit === 'on'
      ? []
      : ['synchronous_commit does not stay on in PostgreSQL: what was acknowledged may be lost with the power']),
  ]
}
