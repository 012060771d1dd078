// SPDX-License-Identifier: Apache-2.0
import type { Read } from './database.ts'
import type { ReaderSource } from './reader-source.ts'

/** A reader of its own for another thread, which sees what is committed, and keeps what it read that never changes. */
export interface Reader {
  readonly read: Read
  close(): Promise<void>
}

/** Opens a reader by an engine's settings; the database must be there and migrated. */
export type OpenReader = (settings: unknown) => Reader

/** Opens a reader of a database on the calling thread. */
export async function openReaderOf({ module, settings }: ReaderSource): Promise<Reader> {
  const { openReader } = (await import(module)) as { readonly openReader: OpenReader }
  return openReader(settings)
}
