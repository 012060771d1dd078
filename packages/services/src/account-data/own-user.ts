// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'

/** Returns the requester's ID if it is the named one; throws `M_FORBIDDEN` otherwise. */
export function ownUser(requester: { readonly userId: UserId }, named: string): UserId {
  if (named !== requester.userId) throw new MatrixError('M_FORBIDDEN', `you are not ${named}`)
  return requester.userId
}
