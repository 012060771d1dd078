// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getAdminLockUser } from './get-admin-lock-user.ts'
import { getAdminSuspendUser } from './get-admin-suspend-user.ts'
import { getWhoIs } from './get-who-is.ts'
import { setAdminLockUser } from './set-admin-lock-user.ts'
import { setAdminSuspendUser } from './set-admin-suspend-user.ts'
import { synapseCreateRegistrationToken } from './synapse-create-registration-token.ts'
import { synapseDeleteRegistrationToken } from './synapse-delete-registration-token.ts'
import { synapseGetRegistrationNonce } from './synapse-get-registration-nonce.ts'
import { synapseGetServerVersion } from './synapse-get-server-version.ts'
import { synapseRegisterBySecret } from './synapse-register-by-secret.ts'
import { synapseSendServerNoticeOnce } from './synapse-send-server-notice-once.ts'
import { synapseSendServerNotice } from './synapse-send-server-notice.ts'
import { roomAdminEndpoints } from './rooms/endpoints.ts'
import { userAdminEndpoints } from './users/endpoints.ts'
import { synapseGetRegistrationToken } from './synapse-get-registration-token.ts'
import { synapseListRegistrationTokens } from './synapse-list-registration-tokens.ts'
import { synapseUpdateRegistrationToken } from './synapse-update-registration-token.ts'

/** Operations of server admins. */
export const adminEndpoints: readonly AnyEndpoint[] = [
  getAdminLockUser,
  getAdminSuspendUser,
  getWhoIs,
  setAdminLockUser,
  setAdminSuspendUser,
  synapseCreateRegistrationToken,
  synapseDeleteRegistrationToken,
  synapseGetRegistrationNonce,
  synapseGetServerVersion,
  synapseRegisterBySecret,
  synapseSendServerNoticeOnce,
  synapseSendServerNotice,
  ...roomAdminEndpoints,
  ...userAdminEndpoints,
  synapseGetRegistrationToken,
  synapseListRegistrationTokens,
  synapseUpdateRegistrationToken,
]
