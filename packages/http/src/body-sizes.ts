// SPDX-License-Identifier: Apache-2.0

const KIB = 1024

/**
 * The longest body of a request in bytes, by kind of operation. Longer ones are refused with 413 before they are read.
 * Decision "Bound every request body by its kind" has the reasons.
 *
 * - `small`: a few names and texts. The default.
 * - `document`: one definition: a filter, a push rule, a key backup's version.
 * - `content`: the content of an event, which has at most 64 KiB in canonical JSON and up to four times that with escapes; one
 *   entry of account data; the keys of a device.
 * - `batch`: entries for many users, devices, or sessions.
 * - `transaction`: 50 events and 100 ephemeral units of another server.
 */
export const MAX_BODY_BYTES = {
  small: 16 * KIB,
  document: 64 * KIB,
  content: 256 * KIB,
  batch: 2048 * KIB,
  transaction: 16_384 * KIB,
} as const
