// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { fitsBytes, isUserId, localpartOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { accountOf } from '@myelin/storage/accounts/accounts'
import { appServices } from '../runtime/app-services.ts'
import type { AppService } from '../runtime/app-services.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { makeAccount } from './make-account.ts'
import { startSession } from './start-session.ts'
import type { SessionRequest, StartedSession } from './start-session.ts'
import { accountNamed, reservedUser, userInUse } from './usernames.ts'

/** The type with which application services register and log in. */
export const APP_SERVICE_TYPE = 'm.login.application_service'

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'config' | 'log' | 'serverName'>

/** A registration or login by an application service. */
export interface AppServiceSession extends Omit<SessionRequest, 'userId'> {
  /** The `as_token`; undefined where the request has none. */
  readonly token: string | undefined
  /** The localpart, or for logins also the user ID. */
  readonly username: string | undefined
  /** No device is made. */
  readonly isWithoutLogin?: boolean
}

const MAX_BYTES = 255
/** The localparts of a service's users: those of historical user IDs too, but no character that other servers refuse. */
const LOCALPART = /^[\x21-\x39\x3b-\x7e]+$/

/**
 * Registers a user of an application service, without a password, and logs it in unless that is inhibited.
 *
 * @throws MatrixError `M_MISSING_TOKEN`, `M_UNKNOWN_TOKEN`, `M_EXCLUSIVE`, `M_INVALID_USERNAME`, `M_USER_IN_USE`
 * @see https://spec.matrix.org/v1.19/application-service-api/#server-admin-style-permissions
 */
export async function registerForAppService(
  rt: Needs,
  request: AppServiceSession,
): Promise<{ readonly userId: UserId; readonly session: StartedSession | undefined }> {
  const service = serviceWith(rt, request.token)
  const userId = newUserOf(rt, service, request.username)
  if (await accountOf(rt.db.read, userId)) throw userInUse()
  return rt.db.write(async (tx) => {
    await makeAccount(rt, tx, { userId, passwordHash: null, isAdmin: false })
    if (request.isWithoutLogin) return { userId, session: undefined }
    return { userId, session: await startSession(rt, tx, { ...request, userId }) }
  })
}

function newUserOf(rt: Needs, service: AppService, username: string | undefined): UserId {
  if (username === undefined) throw new MatrixError('M_MISSING_PARAM', '`username` is missing')
  const userId = `@${username}:${rt.serverName}`
  if (!LOCALPART.test(username) || !fitsBytes(userId, MAX_BYTES) || !isUserId(userId)) {
    throw new MatrixError('M_INVALID_USERNAME', 'the username is invalid')
  }
  if (!service.hasUser(userId)) {
    throw new MatrixError('M_EXCLUSIVE', 'the username is not in a namespace of the application service')
  }
  if (appServices(rt.config).reservesUser(userId, service)) throw reservedUser()
  return userId
}

/**
 * Logs a user of an application service in.
 *
 * @throws MatrixError `M_MISSING_TOKEN`, `M_UNKNOWN_TOKEN`, `M_FORBIDDEN`, `M_USER_DEACTIVATED`, `M_USER_LOCKED`
 * @see https://spec.matrix.org/v1.19/client-server-api/#appservice-login
 */
export async function logInForAppService(rt: Needs, request: AppServiceSession): Promise<StartedSession> {
  const service = serviceWith(rt, request.token)
  if (request.username === undefined) throw new MatrixError('M_MISSING_PARAM', '`identifier.user` is missing')
  const account = await accountNamed(rt, rt.db.read, request.username)
  if (!account || !service.hasUser(account.userId)) {
    throw new MatrixError('M_FORBIDDEN', 'the application service may not log this user in')
  }
  if (account.isDeactivated) throw new MatrixError('M_USER_DEACTIVATED', 'this account has been deactivated')
  if (account.isLocked) {
    throw new MatrixError('M_USER_LOCKED', 'this account has been locked', { extra: { soft_logout: true } })
  }
  return rt.db.write((tx) => startSession(rt, tx, { ...request, userId: account.userId }))
}

/** Creates the accounts of the application services' own users where they do not exist yet. */
export async function prepareAppServices(rt: Pick<Runtime, 'db' | 'clock' | 'config'>): Promise<void> {
  for (const { sender } of appServices(rt.config).all) {
    if (await accountOf(rt.db.read, sender)) continue
    const draft = { userId: sender, passwordHash: null, isAdmin: false, displayName: localpartOf(sender) }
    await rt.db.write((tx) => makeAccount(rt, tx, draft))
  }
}

function serviceWith({ config }: Pick<Runtime, 'config'>, token: string | undefined): AppService {
  if (token === undefined) throw new MatrixError('M_MISSING_TOKEN', 'missing access token')
  const service = appServices(config).withToken(token)
  if (!service) throw new MatrixError('M_UNKNOWN_TOKEN', 'unknown access token', { extra: { soft_logout: false } })
  return service
}
