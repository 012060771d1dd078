// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { member, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { upgradeGuest } from '@myelin/storage/accounts/accounts'
import type { Tx } from '@myelin/storage/engine/database'
import type { Runtime } from '../runtime/runtime.ts'
import { authenticateOperation } from './interactive-auth.ts'
import { makeAccount } from './make-account.ts'
import { checkNewPassword, hashPassword } from './passwords.ts'
import { recordRegistration, repeatRegistration } from './repeat-registration.ts'
import { startSession } from './start-session.ts'
import type { StartedSession } from './start-session.ts'
import { freeUserId, guestUserId, userInUse } from './usernames.ts'

/** A registration request, with members as on the wire, because it is stored between the stages of authentication. */
export interface Registration {
  readonly auth?: JsonObject
  readonly username?: string
  readonly password?: string
  readonly device_id?: string
  readonly initial_device_display_name?: string
  readonly inhibit_login?: boolean
  readonly refresh_token?: boolean
  /** The access token of a guest whose account becomes an ordinary one. */
  readonly guest_access_token?: string
}

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'config' | 'limits' | 'log' | 'serverName'>

/** The new account, and its first session unless the client inhibits it. */
export interface Registered {
  readonly userId: UserId
  readonly session: StartedSession | undefined
}

/** Throws `M_FORBIDDEN` where registration is closed. */
function checkRegistrationIsOpen(rt: Pick<Runtime, 'config'>): void {
  if (!rt.config.registration.isEnabled) throw new MatrixError('M_FORBIDDEN', 'registration is disabled')
}

/**
 * Registers an account after authentication, and logs its first device in.
 *
 * An invalid or taken name is refused before authentication, and a name that was taken meanwhile after it. A request with
 * a session that has made an account gets that account, see {@link repeatRegistration}.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3register
 */
export async function register(rt: Needs, request: Registration, address: string): Promise<Registered> {
  checkRegistrationIsOpen(rt)
  const repeated = await repeatRegistration(rt, request)
  if (repeated) return repeated
  rt.limits.check('registration', address)
  const { auth, password, username } = request
  if (request.guest_access_token !== undefined) await namedGuest(rt, rememberedOf(request))
  else if (username !== undefined) await freeUserId(rt, username)
  if (password !== undefined) checkNewPassword(rt.config.passwords.policy, password)
  const secret = password === undefined ? {} : { password_hash: await hashPassword(rt, password) }
  const agreed = await authenticateOperation(rt, {
    name: 'register',
    userId: '',
    flows: [rt.config.registration.requiresToken ? ['m.login.registration_token', 'm.login.dummy'] : ['m.login.dummy']],
    auth,
    address,
    parameters: { ...rememberedOf(request), ...secret },
    keepsSession: true,
  })
  rt.limits.take('registration', address)
  return settle(rt, agreed, auth && stringMember(auth, 'session'))
}

/** Throws what {@link register} would throw for a name at this moment. */
export async function checkUsername(rt: Needs, username: string, address: string): Promise<void> {
  checkRegistrationIsOpen(rt)
  rt.limits.check('registration', address)
  await freeUserId(rt, username)
}

const REMEMBERED = [
  'username',
  'device_id',
  'initial_device_display_name',
  'inhibit_login',
  'refresh_token',
  'guest_access_token',
] as const

/** Returns the members of a request that may be stored: only these, so that a caller cannot choose a password hash. */
function rememberedOf(request: Registration): JsonObject {
  return Object.fromEntries(
    REMEMBERED.flatMap((name) => {
      const value = request[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** Does what the client asked for, in this request or an earlier one of the same authentication. */
async function settle(rt: Needs, wanted: JsonObject, authSession: string | undefined): Promise<Registered> {
  const passwordHash = stringMember(wanted, 'password_hash')
  if (passwordHash === undefined) throw new MatrixError('M_MISSING_PARAM', '`password` is missing')
  const isUpgrade = stringMember(wanted, 'guest_access_token') !== undefined
  const username = stringMember(wanted, 'username') ?? rt.random.token(12).toLowerCase()
  const userId = isUpgrade ? await namedGuest(rt, wanted) : await freeUserId(rt, username)
  return rt.db.write(async (tx) => {
    if (isUpgrade && !(await upgradeGuest(tx, userId, passwordHash))) throw userInUse()
    if (!isUpgrade) await makeAccount(rt, tx, { userId, passwordHash, isAdmin: false })
    const made = await put(rt, tx, wanted, userId)
    if (authSession !== undefined) await recordRegistration(rt, tx, { session: authSession, parameters: wanted }, made)
    return made
  })
}

/** Returns the guest that a request to upgrade an account names; a guest has to name the account. */
function namedGuest(rt: Needs, wanted: JsonObject): Promise<UserId> {
  const [username, token] = [stringMember(wanted, 'username'), stringMember(wanted, 'guest_access_token')]
  if (username === undefined || token === undefined) throw new MatrixError('M_MISSING_PARAM', '`username` is missing')
  return guestUserId(rt, username, token)
}

async function put(rt: Needs, tx: Tx, wanted: JsonObject, userId: UserId): Promise<Registered> {
  if (member(wanted, 'inhibit_login') === true) return { userId, session: undefined }
  const session = await startSession(rt, tx, {
    userId,
    deviceId: stringMember(wanted, 'device_id'),
    displayName: stringMember(wanted, 'initial_device_display_name'),
    canRefresh: member(wanted, 'refresh_token') === true,
  })
  return { userId, session }
}
