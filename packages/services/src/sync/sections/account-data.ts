// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { pushRulesPosition } from '@myelin/storage/accounts/push-rules'
import { rulesOf } from '../../account-data/push-rules.ts'
import { passesType } from '../../room-state/event-filter.ts'
import type { SyncScope } from '../sync-scope.ts'
import { eventList } from './sync-section.ts'
import type { SyncSection } from './sync-section.ts'

/** `account_data`: the user's global account data that changed, push rules included. */
export const accountDataSection: SyncSection = {
  path: ['account_data'],
  unchanged: { events: [] },
  async changes(scope) {
    const { filter } = scope.slice.request
    const changed = await scope.accountData()
    const global = changed.filter(({ roomId, type }) => roomId === '' && passesType(type, filter.accountData))
    return eventList([...(await pushRulesEntry(scope)), ...global.map(({ type, content }) => ({ type, content }))])
  },
}

/** Returns the push rules, which are account data, sent whole at the first sync and whenever they change; else nothing. */
export async function pushRulesEntry({ db, slice, after, tools }: SyncScope): Promise<JsonObject[]> {
  if (!passesType('m.push_rules', slice.request.filter.accountData)) return []
  if (slice.since && (await pushRulesPosition(db, slice.user)) <= after) return []
  return [{ type: 'm.push_rules', content: { global: await rulesOf(db, slice.user, tools.config.push) } }]
}
