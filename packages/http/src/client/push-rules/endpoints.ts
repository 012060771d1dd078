// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import {
  deletePushRule,
  getPushRule,
  getPushRules,
  getPushRulesGlobal,
  getPushRulesOfKind,
  setPushRule,
} from './push-rules.ts'
import { getPushRuleActions, isPushRuleEnabled, setPushRuleActions, setPushRuleEnabled } from './rule-parts.ts'

/** What notifies a user, and how. */
export const pushRuleEndpoints: readonly AnyEndpoint[] = [
  getPushRules,
  getPushRulesGlobal,
  getPushRulesOfKind,
  getPushRule,
  setPushRule,
  deletePushRule,
  isPushRuleEnabled,
  setPushRuleEnabled,
  getPushRuleActions,
  setPushRuleActions,
]
