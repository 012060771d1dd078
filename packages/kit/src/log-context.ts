// SPDX-License-Identifier: Apache-2.0
import { AsyncLocalStorage } from 'node:async_hooks'

type Fields = Readonly<Record<string, unknown>>

const context = new AsyncLocalStorage<Fields>()

/** Calls `run` and returns its result; every line it logs has these fields, also after it has awaited something. */
export function withLogFields<Result>(fields: Fields, run: () => Result): Result {
  return context.run(fields, run)
}

/** Returns a copy of the fields of the innermost {@link withLogFields}, or an empty object. */
export function currentLogFields(): Record<string, unknown> {
  return { ...context.getStore() }
}
