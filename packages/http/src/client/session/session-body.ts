// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { StartedSession, Tokens } from '@myelin/services/accounts/start-session'

/** Tokens as they go over the wire. */
export function tokensBody({ accessToken, refreshToken, expiresInMs }: Tokens): JsonObject {
  return {
    access_token: accessToken,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(expiresInMs === undefined ? {} : { expires_in_ms: expiresInMs }),
  }
}

/** A log-in as it goes over the wire. */
export function sessionBody(session: StartedSession): JsonObject {
  return {
    user_id: session.userId,
    device_id: session.deviceId,
    home_server: serverOf(session.userId),
    ...tokensBody(session),
  }
}
