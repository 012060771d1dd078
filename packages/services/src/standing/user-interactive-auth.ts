// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'

/**
 * The 401 answer of operations with user-interactive authentication, with the remaining flows.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api
 */
export class AuthenticationNeeded extends Error {
  override readonly name = 'AuthenticationNeeded'
  readonly body: JsonObject

  constructor(body: JsonObject) {
    super('user-interactive authentication needed')
    this.body = body
  }
}

/** The lifetime of a session of user-interactive authentication. */
export const UIA_LIFETIME_MS = 24 * 3_600_000
