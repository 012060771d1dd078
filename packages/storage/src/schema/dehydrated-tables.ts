// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Position } from './scalars.ts'

/** The tables of dehydrated devices and of changes of profiles. */
export interface DehydratedTables {
  /** Which of a user's devices is the dehydrated one (MSC3814). `device_data` is JSON that only the user's clients read. */
  dehydrated_devices: { user_id: UserId; device_id: string; device_data: string }
  /** Where a field of a profile last changed; a field that the profile does not have was deleted there. */
  profile_changes: { user_id: UserId; field: string; position: Position }
}
