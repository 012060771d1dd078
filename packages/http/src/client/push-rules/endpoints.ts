// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deletePushRule } from './delete-push-rule.ts'
import { getPushRuleActions } from './get-push-rule-actions.ts'
import { getPushRule } from './get-push-rule.ts'
import { getPushRulesGlobal } from './get-push-rules-global.ts'
import { getPushRulesOfKind } from './get-push-rules-of-kind.ts'
import { getPushRules } from './get-push-rules.ts'
import { isPushRuleEnabled } from './is-push-rule-enabled.ts'
import { setPushRuleActions } from './set-push-rule-actions.ts'
import { setPushRuleEnabled } from './set-push-rule-enabled.ts'
import { setPushRule } from './set-push-rule.ts'

/** Push rules. */
export const pushRuleEndpoints: readonly AnyEndpoint[] = [
  deletePushRule,
  getPushRuleActions,
  getPushRule,
  getPushRulesGlobal,
  getPushRulesOfKind,
  getPushRules,
  isPushRuleEnabled,
  setPushRuleActions,
  setPushRuleEnabled,
  setPushRule,
]
