// SPDX-License-Identifier: Apache-2.0
import { RULE_KINDS } from '@myelin/services/account-data/push-rule-draft'
import { Type } from 'typebox'
import { encodedObject, ObjectSchema } from '../../reply-schemas.ts'
import { OptionalText, oneOf } from '../../schemas.ts'
import { ERROR_CODE } from '../../validation.ts'

/** The path of all push rules. */
export const PUSH_RULES = '/_matrix/client/v3/pushrules'
/** The path of one push rule. */
export const PUSH_RULE = `${PUSH_RULES}/global/:kind/:ruleId`
/** A kind of push rules. Clients probe for kinds by the error code, which is Synapse's. */
export const KindSchema = Type.Unsafe<(typeof RULE_KINDS)[number]>({
  ...oneOf(RULE_KINDS),
  [ERROR_CODE]: 'M_UNRECOGNIZED',
})
/** The parameters of {@link PUSH_RULE}. */
export const RuleParams = Type.Object({ kind: KindSchema, ruleId: Type.String() })

/** The actions of a push rule. */
export const ActionsSchema = Type.Array(Type.Unknown())
/** A push rule in replies. */
export const PushRuleReply = encodedObject(
  Type.Object({
    rule_id: Type.String(),
    default: Type.Boolean(),
    enabled: Type.Boolean(),
    actions: ActionsSchema,
    conditions: Type.Optional(Type.Array(ObjectSchema)),
    pattern: OptionalText,
  }),
)
/** The push rules of one kind in replies, in the order in which they apply. */
export const RulesReply = Type.Array(PushRuleReply)
/** All push rules in replies, by kind. */
export const RulesetReply = Type.Object({
  override: RulesReply,
  content: RulesReply,
  postcontent: RulesReply,
  room: RulesReply,
  sender: RulesReply,
  underride: RulesReply,
})
