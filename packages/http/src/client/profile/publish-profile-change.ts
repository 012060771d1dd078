// SPDX-License-Identifier: Apache-2.0
import { changeProfile } from '@myelin/services/accounts/change-profile'
import type { ProfileChange } from '@myelin/services/accounts/change-profile'
import { announceProfile } from '@myelin/services/rooms/membership'
import type { Requester, Runtime } from '@myelin/services/runtime/runtime'

/** Changes a profile field and updates the user's membership events where they show it. Returns the empty reply. */
export async function publishProfileChange(rt: Runtime, requester: Requester, change: ProfileChange) {
  if (await changeProfile(rt, requester, change)) await announceProfile(rt, change.userId)
  return {}
}
