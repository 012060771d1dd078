// SPDX-License-Identifier: Apache-2.0

/** Writes to standard error which reply did not match its schema; the request that got it failed already. */
export function onReplyMismatch(message: string): void {
  process.stderr.write(`${message}\n`)
}
