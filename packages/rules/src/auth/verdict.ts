// SPDX-License-Identifier: Apache-2.0
/**
 * The outcome of the authorization rules. A refusal names the rule; it is a value, because state resolution makes
 * thousands.
 */
export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly rule: string }

/** The verdict of an allowed event. */
export const allow: Verdict = Object.freeze({ allowed: true })

/** Returns a refusal that names its rule, such as `ban.target-too-strong`. */
export function reject(rule: string): Verdict {
  return { allowed: false, rule }
}
