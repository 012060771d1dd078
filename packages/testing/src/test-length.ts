// SPDX-License-Identifier: Apache-2.0

/** Tests run at full length, as in `npm run nightly` and `npm test -- --full`. */
const isFullLength = process.env['MYELIN_TEST_LENGTH'] === 'full'

/** Returns the size of a test: `short` in `npm test`, `full` in `npm run nightly`. */
export function sizeOf(sizes: { readonly short: number; readonly full: number }): number {
  return isFullLength ? sizes.full : sizes.short
}
