// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import type { Runtime } from '../../runtime/runtime.ts'
import { shownPdus } from '../../room-state/stripped-state.ts'
import type { TakenMembership } from './take-membership.ts'

/**
 * Returns the stripped state for a knock, as complete events.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1send_knockroomideventid
 */
export async function knockAnswer(rt: Pick<Runtime, 'db'>, { event }: TakenMembership): Promise<JsonObject[]> {
  const { stateBefore, pdu } = event
  return (await shownPdus(rt.db.read, stateBefore, pdu.sender)).map(({ json }) => json)
}
