// SPDX-License-Identifier: Apache-2.0
import type { Json, JsonObject } from '@myelin/matrix/json'

/**
 * The kinds of push rules, in the order of evaluation; `postcontent` is of MSC4306.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#push-rules
 */
export const PUSH_KINDS = ['override', 'content', 'postcontent', 'room', 'sender', 'underride'] as const

/** One of {@link PUSH_KINDS}. */
export type PushKind = (typeof PUSH_KINDS)[number]

/** A push rule in the wire format. */
export interface PushRule extends JsonObject {
  readonly rule_id: string
  readonly default: boolean
  readonly enabled: boolean
  readonly actions: readonly Json[]
}

/** A user's push rules in the wire format under `global`, the first that matches first. */
export type PushRuleset = { readonly [Kind in PushKind]: readonly PushRule[] }
