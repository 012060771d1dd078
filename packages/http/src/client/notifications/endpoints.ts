// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getNotifications } from './get-notifications.ts'

/** Notifications. */
export const notificationEndpoints: readonly AnyEndpoint[] = [getNotifications]
