// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'

/** The requester's own id, if that is whom they named; `M_FORBIDDEN` for anybody else. */
export function ownUser(requester: { readonly userId: UserId }, named: string): UserId {
  if (named !== requester.userId) throw new MatrixError('M_FORBIDDEN', `you are not ${named}`)
  return requester.userId
}
