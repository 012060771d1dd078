// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { setTyping } from './set-typing.ts'

/** Typing notifications. */
export const typingEndpoints: readonly AnyEndpoint[] = [setTyping]
