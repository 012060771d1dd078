// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { membershipsOf } from '@myelin/storage/rooms/members/members'
import { parseToken } from '../room-state/page-token.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { deviceListChanges } from '../sync/device-lists.ts'
import type { DeviceLists } from '../sync/device-lists.ts'

/**
 * Returns the users whose device lists changed between two sync tokens, and those who share no room any more. Without a
 * second token the window ends now.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3keyschanges
 */
export async function keyChanges(
  rt: Pick<Runtime, 'db'>,
  user: UserId,
  tokens: { readonly from: string; readonly to?: string | undefined },
): Promise<DeviceLists> {
  const after = parseToken(tokens.from).position
  const to = tokens.to === undefined ? Infinity : parseToken(tokens.to).position
  const upTo = Math.min(to, await rt.db.position())
  if (after >= upTo) return { changed: [], left: [] }
  const all = await membershipsOf(rt.db.read, user)
  const memberships = all.filter(({ position }) => position <= upTo)
  return deviceListChanges(rt.db.read, { user, after, upTo, memberships })
}
