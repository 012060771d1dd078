// SPDX-License-Identifier: Apache-2.0

/** The lifetime of a session of user-interactive authentication. */
export const UIA_LIFETIME_MS = 24 * 3_600_000
