// SPDX-License-Identifier: Apache-2.0
import { loadFilter } from '@myelin/services/account-data/filters'
import { parseToken } from '@myelin/services/room-state/page-token'
import { sync as readSync } from '@myelin/services/sync/response/sync'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { OptionalLimit, OptionalText, oneOf } from '../../schemas.ts'
import { SyncReply } from './sync-reply.ts'

/**
 * Returns what changed for the requester since a sync token; waits for a change up to `timeout` milliseconds.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync
 */
export const sync = endpoint({
  id: 'sync',
  method: 'GET',
  path: '/_matrix/client/v3/sync',
  access: 'guest',
  query: Type.Object({
    filter: OptionalText,
    since: OptionalText,
    full_state: Type.Optional(Type.Boolean()),
    set_presence: Type.Optional(oneOf(['offline', 'online', 'unavailable'])),
    timeout: OptionalLimit,
    use_state_after: Type.Optional(Type.Boolean()),
    'org.matrix.msc4222.use_state_after': Type.Optional(Type.Boolean()),
  }),
  reply: SyncReply,

  async handle({ query, requester, signal }, rt) {
    const request = {
      requester,
      since: query.since === undefined || query.since === '' ? undefined : parseToken(query.since),
      filter: await loadFilter(rt, requester.userId, query.filter),
      isFullState: query.full_state ?? false,
      stateAfter: stateAfterName(query),
      timeoutMs: query.timeout ?? 0,
      presence: query.set_presence ?? 'online',
    }
    return readSync(rt, request, signal)
  },
})

// The reply uses the name under which the client asked: the spec's or that of MSC4222.
function stateAfterName(query: { use_state_after?: boolean; 'org.matrix.msc4222.use_state_after'?: boolean }) {
  if (query.use_state_after) return 'state_after' as const
  return query['org.matrix.msc4222.use_state_after'] ? ('org.matrix.msc4222.state_after' as const) : undefined
}
