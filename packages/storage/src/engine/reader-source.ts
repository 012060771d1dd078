// SPDX-License-Identifier: Apache-2.0

/** What another thread needs to read the same database; it can be sent there. */
export interface ReaderSource {
  /** The module that knows the engine; it exports an `openReader`. */
  readonly module: string
  readonly settings: unknown
}
