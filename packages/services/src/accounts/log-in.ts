// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { JsonObject } from '@myelin/matrix/json'
import type { Runtime } from '../runtime/runtime.ts'
import { APP_SERVICE_TYPE } from './app-service-users.ts'
import { accountByPassword } from './check-password.ts'
import { startSession } from './start-session.ts'
import type { SessionRequest, StartedSession } from './start-session.ts'

/** A request to log in: the type, its proof, and the device. */
export interface LogIn extends Omit<SessionRequest, 'userId'> {
  readonly type: string
  /** The members that the login type needs. */
  readonly proof: JsonObject
  readonly address: string
}

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'config' | 'limits' | 'log' | 'serverName'>

/** Returns the login types that {@link logIn} supports. */
export function loginTypes(rt: Pick<Runtime, 'config'>): string[] {
  const own = rt.config.passwords.isEnabled ? ['m.login.password'] : []
  return rt.config.appServices.length > 0 ? [...own, APP_SERVICE_TYPE] : own
}

/**
 * Logs a user in on a device.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3login
 */
export async function logIn(rt: Needs, request: LogIn): Promise<StartedSession> {
  if (!loginTypes(rt).includes(request.type)) {
    throw new MatrixError('M_UNKNOWN', 'login type is not supported', { status: 400 })
  }
  rt.limits.take('loginAddress', request.address)
  const account = await accountByPassword(rt, request.proof)
  rt.limits.take('loginAccount', account.userId)
  if (account.isLocked) {
    throw new MatrixError('M_USER_LOCKED', 'this account has been locked', { extra: { soft_logout: true } })
  }
  return rt.db.write((tx) => startSession(rt, tx, { ...request, userId: account.userId }))
}
