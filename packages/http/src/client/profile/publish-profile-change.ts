// SPDX-License-Identifier: Apache-2.0
import { changeProfile } from '@myelin/services/accounts/change-profile'
import type { ProfileChange } from '@myelin/services/accounts/change-profile'
import { announceProfile } from '@myelin/services/rooms/membership'
import type { Requester, Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'
import type { Static } from 'typebox'

/** The query parameters of a profile change: whether the user's rooms get it (MSC4069). */
export const PropagationQuery = Type.Object({ 'org.matrix.msc4069.propagate': Type.Optional(Type.Boolean()) })

/**
 * Changes a profile field and, unless the query says otherwise, updates the user's membership events where they show it.
 * Returns the empty reply.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4069
 */
export async function publishProfileChange(
  rt: Runtime,
  requester: Requester,
  query: Static<typeof PropagationQuery>,
  change: ProfileChange,
) {
  const isShown = await changeProfile(rt, requester, change)
  if (isShown && query['org.matrix.msc4069.propagate'] !== false) await announceProfile(rt, change.userId)
  return {}
}
