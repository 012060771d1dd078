// SPDX-License-Identifier: Apache-2.0

/** The settings of the server that decide whether a commit survives a power loss: `on`, or another value. */
export interface DurabilitySettings {
  readonly fsync: string
  readonly full_page_writes: string
  readonly synchronous_commit: string
}

/** Reads these settings. It runs on the writing connection, which sets `synchronous_commit` for itself. */
export const READ_DURABILITY_SETTINGS = `select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
  current_setting('synchronous_commit') as synchronous_commit`

/** Returns a warning for each setting under which committed data may be lost. */
export function durabilityNotices(promises: DurabilitySettings | undefined): string[] {
  return [
    ...(promises?.fsync === 'off'
      ? ['fsync is off in PostgreSQL: the database may be lost after a power failure; set it to on']
      : []),
    ...(promises?.full_page_writes === 'off'
      ? ['full_page_writes is off in PostgreSQL: pages may be torn after a power failure; set it to on']
      : []),
    // A connection pooler may reset settings.
    ...(promises?.synchronous_commit === 'on'
      ? []
      : [
          'synchronous_commit does not stay on in PostgreSQL: acknowledged events may be lost after a power failure; check the settings of a connection pooler',
        ]),
  ]
}
