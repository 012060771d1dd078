// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { objectMember, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Account } from '@myelin/storage/accounts/accounts'
import type { Runtime } from '../runtime/runtime.ts'
import { isPasswordOf } from './passwords.ts'
import { accountNamed } from './usernames.ts'

type Needs = Pick<Runtime, 'db' | 'random' | 'limits' | 'serverName'>

/**
 * Returns the account that an identifier and a password prove; throws `M_FORBIDDEN` for a wrong proof.
 *
 * The error and the work are the same for a wrong name and a wrong password, and each failure counts against the name.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#identifier-types
 */
export async function accountByPassword(rt: Needs, proof: JsonObject): Promise<Account> {
  const name = nameIn(proof)
  const password = stringMember(proof, 'password')
  if (password === undefined) throw new MatrixError('M_MISSING_PARAM', '`password` is missing')
  const account = name === undefined ? undefined : await accountNamed(rt, rt.db.read, name)
  const key = account?.userId ?? name?.toLowerCase() ?? ''
  rt.limits.check('loginFailed', key)
  if (await isPasswordOf(rt, account?.passwordHash, password)) return account as Account
  rt.limits.take('loginFailed', key)
  if (account?.isDeactivated) throw new MatrixError('M_USER_DEACTIVATED', 'this account has been deactivated')
  throw new MatrixError('M_FORBIDDEN', 'wrong username or password')
}

/**
 * Returns the localpart or user ID of an identifier; undefined for identifiers that are not supported, such as
 * third-party ones.
 */
function nameIn(proof: JsonObject): string | undefined {
  const identifier = objectMember(proof, 'identifier')
  if (!identifier) {
    const user = stringMember(proof, 'user')
    if (user !== undefined) return user
    if (stringMember(proof, 'address') !== undefined) return undefined
    throw new MatrixError('M_MISSING_PARAM', '`identifier` is missing')
  }
  const type = stringMember(identifier, 'type')
  if (type === 'm.id.thirdparty' || type === 'm.id.phone') return undefined
  if (type !== 'm.id.user') throw new MatrixError('M_UNKNOWN', 'unknown type of `identifier`', { status: 400 })
  const user = stringMember(identifier, 'user')
  if (user === undefined) throw new MatrixError('M_MISSING_PARAM', '`identifier.user` is missing')
  return user
}
