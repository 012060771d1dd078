// SPDX-License-Identifier: Apache-2.0
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Runtime } from '../../../runtime/runtime.ts'
import type { StreamToken } from '../../../room-state/page-token.ts'
import { SLIDING_EXTENSIONS } from './extensions.ts'
import type { AnsweredScope } from '../sliding-scope.ts'
import type { SlidingRequest } from '../sliding-request.ts'

/** The extensions of an answer. */
export interface ReadExtensions {
  readonly values: Readonly<Record<string, object>>
  readonly hasNews: boolean
  /** What the `pos` of the answer remembers for the extensions. */
  readonly token: Pick<StreamToken, 'profiles'>
}

/** Returns whether a client asks for an extension. */
export function isEnabled(config: JsonObject): boolean {
  return member(config, 'enabled') === true
}

/** Checks the configurations of the extensions, and does what the client acknowledges with them. */
export async function beginExtensions(rt: Pick<Runtime, 'db'>, request: SlidingRequest): Promise<void> {
  for (const extension of SLIDING_EXTENSIONS) {
    const config = request.extensions.get(extension.name)
    if (config && isEnabled(config)) await extension.begin?.(rt, request.requester, config)
  }
}

/** Reads the extensions that the client asks for. */
export async function readExtensions(scope: AnsweredScope): Promise<ReadExtensions> {
  const values: Record<string, object> = {}
  let hasNews = false
  // It stays for an extension that the client does not ask for this time.
  let token: ReadExtensions['token'] = { profiles: scope.sync.slice.since?.profiles }
  for (const extension of SLIDING_EXTENSIONS) {
    const config = scope.request.extensions.get(extension.name)
    if (!config || !isEnabled(config)) continue
    const answer = await extension.read(scope, config)
    if (!answer) continue
    values[extension.name] = answer.value
    hasNews ||= answer.hasNews
    token = { ...token, ...answer.token }
  }
  return { values, hasNews, token }
}
