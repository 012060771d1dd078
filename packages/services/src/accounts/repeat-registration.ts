// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { accountOf } from '@myelin/storage/accounts/accounts'
import { deviceOf } from '@myelin/storage/accounts/devices'
import { completeTokenUse } from '@myelin/storage/accounts/registration-tokens'
import { putUiaSession, uiaSession } from '@myelin/storage/accounts/uia-sessions'
import type { Read, Tx } from '@myelin/storage/engine/database'
import type { Runtime } from '../runtime/runtime.ts'
import { unknownSession } from './interactive-auth.ts'
import { UIA_LIFETIME_MS } from '../standing/user-interactive-auth.ts'
import { isPasswordOf } from './passwords.ts'
import { startSession } from './start-session.ts'
import type { StartedSession } from './start-session.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'config' | 'limits' | 'log'>

/** An account, and its device's session unless the client wanted none. */
interface Made {
  readonly userId: UserId
  readonly session: StartedSession | undefined
}

/** A request to register, as far as it matters where it is repeated. */
interface RepeatedRequest {
  readonly auth?: JsonObject
  readonly password?: string
}

/** The account that a session of user-interactive authentication made, and how. */
interface Outcome {
  readonly userId: UserId
  readonly passwordHash: string
  /** Undefined where the client wanted no device. */
  readonly deviceId: string | undefined
  readonly canRefresh: boolean
}

/**
 * Records what a registration made in the session it was authenticated with, beside the parameters it was agreed on with,
 * and completes the use of that session's registration token.
 * Throws where that session has made an account.
 */
export async function recordRegistration(
  rt: Pick<Runtime, 'clock'>,
  tx: Tx,
  agreed: { readonly session: string; readonly parameters: JsonObject },
  { userId, session: started }: Made,
): Promise<void> {
  const held = await uiaSession(tx, agreed.session, rt.clock.now() - UIA_LIFETIME_MS)
  if (!held || objectMember(held.parameters, 'registered')) throw unknownSession()
  const registered = { user_id: userId, ...(started && { device_id: started.deviceId }) }
  await completeTokenUse(tx, agreed.session)
  await putUiaSession(tx, { ...held, parameters: { ...agreed.parameters, registered } })
}

/**
 * Answers a registration again whose answer the client lost: the same account, on the same device with new tokens.
 * Returns undefined where the session of the request has made no account.
 *
 * @throws MatrixError as for an unknown session, unless the request has the account's password, and neither the account nor
 *   its device has changed since.
 */
export async function repeatRegistration(rt: Needs, request: RepeatedRequest): Promise<Made | undefined> {
  const outcome = await outcomeOf(rt, rt.db.read, request.auth)
  if (!outcome) return undefined
  const { userId, passwordHash, deviceId, canRefresh } = outcome
  rt.limits.check('loginFailed', userId)
  if (!(await isPasswordOf(rt, passwordHash, request.password ?? ''))) {
    rt.limits.take('loginFailed', userId)
    throw unknownSession()
  }
  return rt.db.write(async (tx) => {
    const account = await accountOf(tx, userId)
    if (account?.passwordHash !== passwordHash || account.isDeactivated || account.isLocked) throw unknownSession()
    if (deviceId === undefined) return { userId, session: undefined }
    if (!(await deviceOf(tx, userId, deviceId))) throw unknownSession()
    return { userId, session: await startSession(rt, tx, { userId, deviceId, displayName: undefined, canRefresh }) }
  })
}

async function outcomeOf(rt: Needs, db: Read, auth: JsonObject | undefined): Promise<Outcome | undefined> {
  const name = auth && stringMember(auth, 'session')
  if (name === undefined) return undefined
  const session = await uiaSession(db, name, rt.clock.now() - UIA_LIFETIME_MS)
  const registered = session && objectMember(session.parameters, 'registered')
  if (!registered) return undefined
  const [userId, passwordHash] = [
    stringMember(registered, 'user_id'),
    stringMember(session.parameters, 'password_hash'),
  ]
  if (userId === undefined || passwordHash === undefined) return undefined
  return {
    userId: userId as UserId,
    passwordHash,
    deviceId: stringMember(registered, 'device_id'),
    canRefresh: member(session.parameters, 'refresh_token') === true,
  }
}
