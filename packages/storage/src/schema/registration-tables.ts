// SPDX-License-Identifier: Apache-2.0

/** The tables of registration tokens. */
export interface RegistrationTables {
  /** `uses_allowed` null: any number. `completed`: the accounts that were registered. `expires_ts` (ms) null means never. */
  registration_tokens: {
    token: string
    uses_allowed: number | null
    completed: number
    expires_ts: number | null
  }
  /** Sessions of user-interactive authentication that used a token and have not registered an account yet. */
  registration_token_uses: { session: string; token: string; created_ts: number }
}
