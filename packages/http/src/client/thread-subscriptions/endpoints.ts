// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deleteThreadSubscription } from './delete-thread-subscription.ts'
import { getThreadSubscription } from './get-thread-subscription.ts'
import { getThreadSubscriptions } from './get-thread-subscriptions.ts'
import { setThreadSubscription } from './set-thread-subscription.ts'

/** Subscriptions to threads. */
export const threadSubscriptionEndpoints: readonly AnyEndpoint[] = [
  deleteThreadSubscription,
  getThreadSubscription,
  getThreadSubscriptions,
  setThreadSubscription,
]
