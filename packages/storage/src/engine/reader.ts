// SPDX-License-Identifier: Apache-2.0
import type { Read } from './database.ts'
import type { ReaderSource } from './reader-source.ts'

/** A reader for another thread. It sees committed data and caches immutable values. */
export interface Reader {
  readonly read: Read
  close(): Promise<void>
}

/** Opens a reader by an engine's settings; the database must exist and be migrated. */
export type OpenReader = (settings: unknown) => Reader

/** Opens a reader of a database on the calling thread. */
export async function openReaderOf({ module, settings }: ReaderSource): Promise<Reader> {
  const { openReader } = (await import(module)) as { readonly openReader: OpenReader }
  return openReader(settings)
}
