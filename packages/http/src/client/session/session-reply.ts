// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { StartedSession, Tokens } from '@myelin/services/accounts/start-session'
import { Type } from 'typebox'

const tokenMembers = {
  access_token: Type.String(),
  refresh_token: Type.Optional(Type.String()),
  expires_in_ms: Type.Optional(Type.Integer()),
}

/** An access token, and a refresh token where the client asked for one. */
export const TokensReply = Type.Object(tokenMembers)

/** Returns the {@link TokensReply} of tokens. */
export function tokensReply({ accessToken, refreshToken, expiresInMs }: Tokens) {
  return { access_token: accessToken, refresh_token: refreshToken, expires_in_ms: expiresInMs }
}

/** The members of a new session in replies. */
export const sessionMembers = {
  user_id: Type.String(),
  device_id: Type.String(),
  home_server: Type.String(),
  ...tokenMembers,
}

/** Returns the {@link sessionMembers} of a session. */
export function sessionReply(session: StartedSession) {
  return {
    user_id: session.userId,
    device_id: session.deviceId,
    home_server: serverOf(session.userId),
    ...tokensReply(session),
  }
}
