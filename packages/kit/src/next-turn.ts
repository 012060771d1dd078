// SPDX-License-Identifier: Apache-2.0

/** Waits for the next turn of the event loop, so that everything that is ready runs first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
