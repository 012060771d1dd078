// SPDX-License-Identifier: Apache-2.0

/** The tables of registration tokens. */
export interface RegistrationTables {
  /** `uses_allowed` is null without a limit. `completed` counts the registered accounts. `expires_ts` (ms) is null if it never expires. */
  registration_tokens: {
    token: string
    uses_allowed: number | null
    completed: number
    expires_ts: number | null
  }
  /** Sessions of user-interactive authentication that used a token and have not registered an account yet. */
  registration_token_uses: { session: string; token: string; created_ts: number }
}
