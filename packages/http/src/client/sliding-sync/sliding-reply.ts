// SPDX-License-Identifier: Apache-2.0
import type { SlidingRequest } from '@myelin/services/sync/sliding/sliding-request'
import { encodedInSteps } from '../sync/encoded-in-steps.ts'

/** Returns a reply as it is sent. One that is not waited for may have all rooms, and megabytes. */
export function slidingReply(
  { pos, timeoutMs }: Pick<SlidingRequest, 'pos' | 'timeoutMs'>,
  reply: Promise<object>,
): Promise<object> {
  // Of a request that waits nothing is kept here.
  return pos === undefined || timeoutMs === 0 ? encodedInSteps(reply) : reply
}
