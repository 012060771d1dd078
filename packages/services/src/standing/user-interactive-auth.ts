// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'

/**
 * The second kind of reply of the operations that need user-interactive authentication: 401 with what is still to do.
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
