// SPDX-License-Identifier: Apache-2.0
import type { Read } from './database.ts'
import type { ReaderSource } from './reader-source.ts'

/** Opens a reader for another thread. It sees what is committed, and caches what never changes. */
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
