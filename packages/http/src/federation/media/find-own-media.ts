// SPDX-License-Identifier: Apache-2.0
import { findMedia } from '@myelin/services/media/find-media'
import { checkedName } from '@myelin/services/media/media-name'
import type { Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'

/** The parameters of a path with a file of this server. */
export const OwnMediaParams = Type.Object({ mediaId: Type.String() })

interface Wait {
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal
}

/** Returns a file of this server. Other servers get only those: this server fetches nothing on their behalf. */
export function findOwnMedia(rt: Runtime, mediaId: string, { timeoutMs, signal }: Wait) {
  return findMedia(rt, checkedName({ serverName: rt.serverName, mediaId }), {
    isAuthenticated: true,
    timeoutMs,
    signal,
  })
}
