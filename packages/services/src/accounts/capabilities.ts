// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { ROOM_VERSIONS } from '@myelin/rules/room-versions'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { lockedProfileFields } from './change-profile.ts'

/**
 * Returns the capabilities of the requester on this server.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#capabilities-negotiation
 */
export function capabilitiesOf(rt: Pick<Runtime, 'config'>, requester: Requester): JsonObject {
  const { config } = rt
  const isEnabled = (enabled: boolean) => ({ enabled })
  const locked = lockedProfileFields(rt)
  const available = Object.fromEntries([...ROOM_VERSIONS.keys()].map((version) => [version, 'stable']))
  return {
    'm.change_password': isEnabled(config.passwords.isEnabled),
    'm.room_versions': { default: config.rooms.defaultVersion, available },
    'm.set_displayname': isEnabled(config.profiles.maySetDisplayName),
    'm.set_avatar_url': isEnabled(config.profiles.maySetAvatarUrl),
    'm.profile_fields': { enabled: true, ...(locked.length > 0 ? { disallowed: locked } : {}) },
    'm.3pid_changes': isEnabled(false),
    'm.get_login_token': isEnabled(false),
    'm.preview_url': isEnabled(config.urlPreviews.isEnabled),
    'io.element.msc4452.preview_url': isEnabled(config.urlPreviews.isEnabled),
    'org.matrix.msc4140.delayed_events': {
      max_delay_ms: config.delayedEvents.maxDelayMs,
      max_scheduled: config.delayedEvents.maxPerUser,
    },
    'm.forget_forced_upon_leave': isEnabled(config.rooms.forgetsOnLeave),
    'org.matrix.msc4267.forget_forced_upon_leave': isEnabled(config.rooms.forgetsOnLeave),
    ...(requester.isAdmin ? { 'm.account_moderation': { lock: true, suspend: true } } : {}),
  }
}
