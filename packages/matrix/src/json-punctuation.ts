// SPDX-License-Identifier: Apache-2.0
// JSON's punctuation by code unit, which is also its byte in UTF-8 (RFC 8259).

/** Begins and ends a string. */
export const QUOTE = 0x22
/** Separates elements and members. */
export const COMMA = 0x2c
/** Separates a key and its value. */
export const COLON = 0x3a
/** Begins a list. */
export const OPEN_LIST = 0x5b
/** Begins an escape. */
export const BACKSLASH = 0x5c
/** Ends a list. */
export const CLOSE_LIST = 0x5d
/** Begins an object. */
export const OPEN_OBJECT = 0x7b
/** Ends an object. */
export const CLOSE_OBJECT = 0x7d
