// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** Registration tokens, and the sessions that are using one. */
export const registrationTokens: Migration = {
  id: 14,
  compatVersion: 13,
  statements: [
    `create table registration_tokens (token text primary key, uses_allowed bigint, completed bigint not null,
      expires_ts bigint) {compact}`,
    `create table registration_token_uses (session text primary key, token text not null,
      created_ts bigint not null) {compact}`,
    'create index registration_token_uses_by_token on registration_token_uses (token)',
    'create index registration_token_uses_by_age on registration_token_uses (created_ts)',
  ],
}
