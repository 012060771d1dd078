// SPDX-License-Identifier: Apache-2.0
import { accountDataEndpoints } from './client/account-data/endpoints.ts'
import { accountEndpoints } from './client/account/endpoints.ts'
import { adminEndpoints } from './client/admin/endpoints.ts'
import { getTurnServer } from './client/calls/get-turn-server.ts'
import { deviceEndpoints } from './client/devices/endpoints.ts'
import { directoryEndpoints } from './client/directory/endpoints.ts'
import { discoveryEndpoints } from './client/discovery/endpoints.ts'
import { getWellknownServer } from './client/discovery/well-known.ts'
import { filterEndpoints } from './client/filters/endpoints.ts'
import { keyEndpoints } from './client/keys/endpoints.ts'
import { getNotifications } from './client/notifications/get-notifications.ts'
import { requestOpenIdToken } from './client/openid/request-open-id-token.ts'
import { presenceEndpoints } from './client/presence/endpoints.ts'
import { profileEndpoints } from './client/profile/endpoints.ts'
import { pushRuleEndpoints } from './client/push-rules/endpoints.ts'
import { receiptEndpoints } from './client/receipts/endpoints.ts'
import { roomKeyEndpoints } from './client/room-keys/endpoints.ts'
import { reportEndpoints } from './client/reports/endpoints.ts'
import { roomEndpoints } from './client/rooms/endpoints.ts'
import { sessionEndpoints } from './client/session/endpoints.ts'
import { sendToDevice } from './client/to-device/send-to-device.ts'
import { sync } from './client/sync/sync.ts'
import { typingEndpoints } from './client/typing/endpoints.ts'
import type { AnyEndpoint } from './endpoint.ts'
import { exchangeOpenIdToken } from './federation/exchange-open-id-token.ts'
import { getVersion } from './federation/get-version.ts'
import { federationMembershipEndpoints } from './federation/membership/endpoints.ts'
import { askPolicyServerToSign } from './federation/policy/ask-policy-server-to-sign.ts'
import { sendTransaction } from './federation/transactions/send-transaction.ts'
import { serverKeyEndpoints } from './federation/keys/endpoints.ts'
import { federationReadingEndpoints } from './federation/reading-endpoints.ts'
import { mediaEndpoints } from './media/endpoints.ts'
import { health, metrics } from './operations.ts'

/** Every endpoint of the client-server API, one folder of `client/` a line. */
export const clientEndpoints: readonly AnyEndpoint[] = [
  ...accountEndpoints,
  ...adminEndpoints,
  ...deviceEndpoints,
  ...discoveryEndpoints,
  ...presenceEndpoints,
  ...profileEndpoints,
  ...sessionEndpoints,
  ...roomEndpoints,
  ...reportEndpoints,
  ...keyEndpoints,
  ...roomKeyEndpoints,
  sendToDevice,
  sync,
  ...filterEndpoints,
  ...accountDataEndpoints,
  ...receiptEndpoints,
  ...typingEndpoints,
  ...pushRuleEndpoints,
  ...directoryEndpoints,
  ...mediaEndpoints,
  requestOpenIdToken,
  getTurnServer,
  getNotifications,
]

/** Every endpoint of the server-server API, one folder of `federation/` a line. */
export const federationEndpoints: readonly AnyEndpoint[] = [
  ...serverKeyEndpoints,
  ...federationReadingEndpoints,
  ...federationMembershipEndpoints,
  sendTransaction,
  askPolicyServerToSign,
  exchangeOpenIdToken,
  getVersion,
  getWellknownServer,
]

const BY_RESOURCE: Readonly<Record<string, readonly AnyEndpoint[]>> = {
  client: clientEndpoints,
  federation: federationEndpoints,
  keys: serverKeyEndpoints,
  openid: [exchangeOpenIdToken],
  media: mediaEndpoints,
  health: [health],
  metrics: [metrics],
}

/** What a listener that serves these resources answers; `/health` is everywhere. */
export function endpointsOf(resources: readonly string[]): AnyEndpoint[] {
  return [...new Set([...resources, 'health'].flatMap((resource) => BY_RESOURCE[resource] ?? []))]
}
