// SPDX-License-Identifier: Apache-2.0

/** Whether tests run at full length, as `npm run nightly` and `npm test -- --full` run them. */
const isFullLength = process.env['MYELIN_TEST_LENGTH'] === 'full'

/** Returns the size of a test: `short` in `npm test`, `full` in `npm run nightly`. */
export function sizeOf(sizes: { readonly short: number; readonly full: number }): number {
  return isFullLength ? sizes.full : sizes.short
}
