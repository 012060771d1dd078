// SPDX-License-Identifier: Apache-2.0
import { localpartOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { putAccount } from '@myelin/storage/accounts/accounts'
import type { Tx } from '@myelin/storage/engine/database'
import { putProfileField } from '@myelin/storage/accounts/profiles'
import type { Runtime } from '../runtime/runtime.ts'
import { userInUse } from './usernames.ts'

/** A new account. */
export interface AccountDraft {
  readonly userId: UserId
  readonly passwordHash: string | null
  readonly isAdmin: boolean
  readonly isGuest?: boolean
  /** The display name; the localpart by default. */
  readonly displayName?: string | undefined
}

/** Creates an account with a display name; throws `M_USER_IN_USE` for a name in use, or used before. */
export async function makeAccount(rt: Pick<Runtime, 'clock'>, tx: Tx, draft: AccountDraft): Promise<void> {
  const { userId, passwordHash, isAdmin, isGuest = false, displayName = localpartOf(userId) } = draft
  const isMade = await putAccount(tx, { userId, passwordHash, isAdmin, isGuest, createdTs: rt.clock.now() })
  if (!isMade) throw userInUse()
  if (displayName !== '') await putProfileField(tx, userId, 'displayname', displayName)
}
