// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { Runtime } from '../runtime/runtime.ts'
import { makeAccount } from './make-account.ts'
import { startSession } from './start-session.ts'
import type { StartedSession } from './start-session.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'config' | 'limits' | 'log' | 'serverName'>

/** The bytes of chance in a guest's number: no guest can tell how many there are. */
const NUMBER_BYTES = 6

/**
 * Registers a guest: an account without a password and with a number as its name, on one device.
 *
 * @param address the client's address, to which the rate limit of registrations applies
 * @throws MatrixError `M_GUEST_ACCESS_FORBIDDEN` where the server has no guests
 * @see https://spec.matrix.org/v1.19/client-server-api/#guest-access
 */
export async function registerGuest(
  rt: Needs,
  { displayName, address }: { readonly displayName: string | undefined; readonly address: string },
): Promise<{ readonly userId: UserId; readonly session: StartedSession }> {
  if (!rt.config.registration.allowsGuests) {
    throw new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'guest accounts are disabled')
  }
  rt.limits.take('registration', address)
  const number = Buffer.from(rt.random.bytes(NUMBER_BYTES)).readUIntBE(0, NUMBER_BYTES)
  const userId = `@${number}:${rt.serverName}` as UserId
  return rt.db.write(async (tx) => {
    await makeAccount(rt, tx, { userId, passwordHash: null, isAdmin: false, isGuest: true })
    const session = await startSession(rt, tx, { userId, deviceId: undefined, displayName, canRefresh: false })
    return { userId, session }
  })
}
