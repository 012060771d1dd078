// SPDX-License-Identifier: Apache-2.0
import { RawJson } from '@myelin/kit/raw-json'
import { MatrixError } from '@myelin/matrix/errors'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { dropToDevice, keepsUpTo, waitingToDevice } from '@myelin/storage/sync/to-device'
import type { SlidingExtension } from './extension.ts'

const MAX_MESSAGES = 100

/**
 * `to_device`: the messages that wait for the device. Its `since`, which is no `pos`, acknowledges those before it.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3885
 */
export const toDeviceExtension: SlidingExtension = {
  name: 'to_device',
  async begin({ db }, { userId, deviceId }, config) {
    limitOf(config)
    const since = sinceOf(config, await db.position())
    if (since > 0 && (await keepsUpTo(db.read, userId, deviceId, since)))
      await db.write((tx) => dropToDevice(tx, userId, deviceId, since))
  },
  async read({ sync }, config) {
    const { user, request } = sync.slice
    const after = sinceOf(config, sync.upTo)
    const bounds = { after, upTo: sync.upTo, limit: limitOf(config) }
    const messages = await waitingToDevice(sync.db, user, request.requester.deviceId, bounds)
    return {
      value: {
        next_batch: `${messages.at(-1)?.position ?? after}`,
        events: messages.map(({ message }) => new RawJson(message)),
      },
      hasNews: messages.length > 0,
    }
  },
}

/** Returns the position that is acknowledged. One that is still to come is of a database that was restored since: none is. */
function sinceOf(config: JsonObject, position: number): number {
  const since = member(config, 'since') ?? '0'
  if (typeof since !== 'string' || !/^\d{1,15}$/.test(since))
    throw new MatrixError('M_INVALID_PARAM', '`since` of `to_device` must be the `next_batch` of an earlier answer')
  return Number(since) > position ? 0 : Number(since)
}

function limitOf(config: JsonObject): number {
  const asked = member(config, 'limit')
  // Synapse refuses null.
  const limit = asked === undefined ? MAX_MESSAGES : asked
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 0)
    throw new MatrixError('M_INVALID_PARAM', '`limit` of `to_device` must be an integer of at least 0')
  return Math.min(Math.max(limit, 1), MAX_MESSAGES)
}
