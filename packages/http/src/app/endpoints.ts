// SPDX-License-Identifier: Apache-2.0
import { accountEndpoints } from '../client/account/endpoints.ts'
import { accountDataEndpoints } from '../client/account-data/endpoints.ts'
import { adminEndpoints } from '../client/admin/endpoints.ts'
import { appServiceEndpoints } from '../client/app-services/endpoints.ts'
import { callEndpoints } from '../client/calls/endpoints.ts'
import { dehydratedDeviceEndpoints } from '../client/dehydrated-device/endpoints.ts'
import { delayedEventEndpoints } from '../client/delayed-events/endpoints.ts'
import { deviceEndpoints } from '../client/devices/endpoints.ts'
import { directoryEndpoints } from '../client/directory/endpoints.ts'
import { discoveryEndpoints } from '../client/discovery/endpoints.ts'
import { eventEndpoints } from '../client/events/endpoints.ts'
import { filterEndpoints } from '../client/filters/endpoints.ts'
import { keyEndpoints } from '../client/keys/endpoints.ts'
import { membershipEndpoints } from '../client/membership/endpoints.ts'
import { notificationEndpoints } from '../client/notifications/endpoints.ts'
import { openIdEndpoints } from '../client/openid/endpoints.ts'
import { presenceEndpoints } from '../client/presence/endpoints.ts'
import { profileEndpoints } from '../client/profile/endpoints.ts'
import { pushRuleEndpoints } from '../client/push-rules/endpoints.ts'
import { pusherEndpoints } from '../client/pushers/endpoints.ts'
import { receiptEndpoints } from '../client/receipts/endpoints.ts'
import { relationEndpoints } from '../client/relations/endpoints.ts'
import { reportEndpoints } from '../client/reports/endpoints.ts'
import { roomKeyEndpoints } from '../client/room-keys/endpoints.ts'
import { roomEndpoints } from '../client/rooms/endpoints.ts'
import { rtcEndpoints } from '../client/rtc/endpoints.ts'
import { searchEndpoints } from '../client/search/endpoints.ts'
import { sessionEndpoints } from '../client/session/endpoints.ts'
import { slidingSyncEndpoints } from '../client/sliding-sync/endpoints.ts'
import { stateEndpoints } from '../client/state/endpoints.ts'
import { syncEndpoints } from '../client/sync/endpoints.ts'
import { thirdPartyEndpoints } from '../client/third-parties/endpoints.ts'
import { threadSubscriptionEndpoints } from '../client/thread-subscriptions/endpoints.ts'
import { toDeviceEndpoints } from '../client/to-device/endpoints.ts'
import { typingEndpoints } from '../client/typing/endpoints.ts'
import type { AnyEndpoint } from '../endpoint.ts'
import { federationDiscoveryEndpoints } from '../federation/discovery/endpoints.ts'
import { serverKeyEndpoints } from '../federation/keys/endpoints.ts'
import { federationMediaEndpoints } from '../federation/media/endpoints.ts'
import { federationMembershipEndpoints } from '../federation/membership/endpoints.ts'
import { federationOpenIdEndpoints } from '../federation/openid/endpoints.ts'
import { policyEndpoints } from '../federation/policy/endpoints.ts'
import { federationQueryEndpoints } from '../federation/queries/endpoints.ts'
import { federationRoomEndpoints } from '../federation/rooms/endpoints.ts'
import { federationRtcEndpoints } from '../federation/rtc/endpoints.ts'
import { transactionEndpoints } from '../federation/transactions/endpoints.ts'
import { federationUserEndpoints } from '../federation/users/endpoints.ts'
import { getWellKnown } from '../federation/discovery/get-well-known.ts'
import { mediaEndpoints } from '../media/endpoints.ts'
import { health } from '../monitoring/health.ts'
import { metrics } from '../monitoring/metrics.ts'

/** The endpoints of the client-server API, a folder a line. */
export const clientEndpoints: readonly AnyEndpoint[] = [
  ...accountEndpoints,
  ...accountDataEndpoints,
  ...adminEndpoints,
  ...appServiceEndpoints,
  ...callEndpoints,
  ...dehydratedDeviceEndpoints,
  ...delayedEventEndpoints,
  ...deviceEndpoints,
  ...directoryEndpoints,
  ...discoveryEndpoints,
  ...eventEndpoints,
  ...filterEndpoints,
  ...keyEndpoints,
  ...membershipEndpoints,
  ...notificationEndpoints,
  ...openIdEndpoints,
  ...presenceEndpoints,
  ...profileEndpoints,
  ...pushRuleEndpoints,
  ...pusherEndpoints,
  ...receiptEndpoints,
  ...relationEndpoints,
  ...reportEndpoints,
  ...roomKeyEndpoints,
  ...roomEndpoints,
  ...rtcEndpoints,
  ...searchEndpoints,
  ...sessionEndpoints,
  ...slidingSyncEndpoints,
  ...stateEndpoints,
  ...syncEndpoints,
  ...thirdPartyEndpoints,
  ...threadSubscriptionEndpoints,
  ...toDeviceEndpoints,
  ...typingEndpoints,
  ...mediaEndpoints,
  // Clients and servers share one name, so one listener may serve both documents.
  getWellKnown,
]

/** The endpoints of the server-server API, a folder a line. */
export const federationEndpoints: readonly AnyEndpoint[] = [
  ...federationDiscoveryEndpoints,
  ...serverKeyEndpoints,
  ...federationMediaEndpoints,
  ...federationMembershipEndpoints,
  ...federationOpenIdEndpoints,
  ...policyEndpoints,
  ...federationQueryEndpoints,
  ...federationRoomEndpoints,
  ...federationRtcEndpoints,
  ...transactionEndpoints,
  ...federationUserEndpoints,
]

/** The endpoints of this server that belong to no API of the spec. */
export const monitoringEndpoints: readonly AnyEndpoint[] = [health, metrics]

const BY_RESOURCE: Readonly<Record<string, readonly AnyEndpoint[]>> = {
  client: clientEndpoints,
  federation: federationEndpoints,
  keys: serverKeyEndpoints,
  openid: federationOpenIdEndpoints,
  media: mediaEndpoints,
  health: [health],
  metrics: [metrics],
}

/** Returns the endpoints of a listener that serves these resources; `/health` is on every listener. */
export function endpointsOf(resources: readonly string[]): AnyEndpoint[] {
  return [...new Set([...resources, 'health'].flatMap((resource) => BY_RESOURCE[resource] ?? []))]
}
