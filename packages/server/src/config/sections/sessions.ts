// SPDX-License-Identifier: Apache-2.0
import type { SessionSettings } from '@myelin/kit/settings'
import { durationOrNull, section } from '../values/section.ts'
import { durationMs } from '../values/units.ts'
import { Type } from 'typebox'

const SHORTER = [
  'refreshable_access_token_lifetime',
  'nonrefreshable_access_token_lifetime',
  'refresh_token_lifetime',
] as const

const fields = {
  session_lifetime: Type.Optional(
    durationOrNull({
      description: `The maximum lifetime of a session, including refreshes. Without this setting, sessions end at logout only.`,
      examples: ['24h'],
    }),
  ),
  refreshable_access_token_lifetime: durationOrNull({
    description: `The lifetime of an access token that can be refreshed. \`null\` disables refreshing.`,
    default: '5m',
  }),
  nonrefreshable_access_token_lifetime: Type.Optional(
    durationOrNull({
      description: `The lifetime of an access token that cannot be refreshed. Without this setting, until logout.`,
      examples: ['24h'],
    }),
  ),
  refresh_token_lifetime: Type.Optional(
    durationOrNull({
      description: `The lifetime of an unused refresh token. Without this setting, until logout.`,
      examples: ['4w'],
    }),
  ),
}

/** Lifetimes of sessions and their tokens. */
export const sessions = section({
  title: 'Sessions',
  fields,
  read(values, reading): SessionSettings {
    const sessionMs = msOf(values.session_lifetime)
    for (const key of SHORTER) {
      const isGiven = key !== 'refreshable_access_token_lifetime' || reading.isGiven(key)
      if (isGiven && sessionMs !== undefined && (msOf(values[key]) ?? 0) > sessionMs) {
        reading.fault(key, 'is longer than session_lifetime')
      }
    }
    return {
      sessionMs,
      refreshableAccessTokenMs: msOf(values.refreshable_access_token_lifetime),
      nonrefreshableAccessTokenMs: msOf(values.nonrefreshable_access_token_lifetime),
      refreshTokenMs: msOf(values.refresh_token_lifetime),
    }
  },
})

function msOf(value: number | string | null | undefined): number | undefined {
  return value === null || value === undefined ? undefined : durationMs(value)
}
