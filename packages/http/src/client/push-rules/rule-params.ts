// SPDX-License-Identifier: Apache-2.0
import { RULE_KINDS } from '@myelin/services/account-data/push-rule-draft'
import { Type } from 'typebox'

/** Where one rule is found. */
export const RULE = '/_matrix/client/v3/pushrules/global/:kind/:ruleId'
/** A kind of push rules. */
export const KindSchema = Type.Union(RULE_KINDS.map((kind) => Type.Literal(kind)))
/** Which rule is meant. */
export const RuleParams = Type.Object({ kind: KindSchema, ruleId: Type.String() })
