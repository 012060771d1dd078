// SPDX-License-Identifier: Apache-2.0

/** The settings with which another thread opens the same database for reading; they can be posted to it. */
export interface ReaderSource {
  /** The module that knows the engine; it exports an `openReader`. */
  readonly module: string
  readonly settings: unknown
}
