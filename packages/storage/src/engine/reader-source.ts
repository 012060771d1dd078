// SPDX-License-Identifier: Apache-2.0

/** The settings with which another thread opens the same database for reading. They can be posted to a thread. */
export interface ReaderSource {
  /** The module of the engine; it exports `openReader`. */
  readonly module: string
  readonly settings: unknown
}
