// SPDX-License-Identifier: Apache-2.0
/** What the law says of an event. A refusal names the rule; refusals are values because state resolution makes thousands. */
export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly rule: string }

/** The one yes. */
export const allow: Verdict = Object.freeze({ allowed: true })

/** A no that names its rule, such as `ban.target-too-strong`. */
export function reject(rule: string): Verdict {
  return { allowed: false, rule }
}
