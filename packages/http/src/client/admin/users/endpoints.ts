// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../../endpoint.ts'
import { synapseAddUserDevice } from './synapse-add-user-device.ts'
import { synapseDeactivateUser } from './synapse-deactivate-user.ts'
import { synapseDeleteUserDevice } from './synapse-delete-user-device.ts'
import { synapseDeleteUserDevices } from './synapse-delete-user-devices.ts'
import { synapseGetJoinedRooms } from './synapse-get-joined-rooms.ts'
import { synapseGetMemberships } from './synapse-get-memberships.ts'
import { synapseGetUserAccountData } from './synapse-get-user-account-data.ts'
import { synapseGetUserAdmin } from './synapse-get-user-admin.ts'
import { synapseGetUserDevice } from './synapse-get-user-device.ts'
import { synapseGetUserDevices } from './synapse-get-user-devices.ts'
import { synapseGetUserPushers } from './synapse-get-user-pushers.ts'
import { synapseGetUser } from './synapse-get-user.ts'
import { synapseIsUsernameAvailable } from './synapse-is-username-available.ts'
import { synapseListUsersV2 } from './synapse-list-users-v2.ts'
import { synapseListUsersV3 } from './synapse-list-users-v3.ts'
import { synapseLogInAsUser } from './synapse-log-in-as-user.ts'
import { synapsePutUser } from './synapse-put-user.ts'
import { synapseResetPassword } from './synapse-reset-password.ts'
import { synapseSetUserAdmin } from './synapse-set-user-admin.ts'
import { synapseSuspendUser } from './synapse-suspend-user.ts'
import { synapseUpdateUserDevice } from './synapse-update-user-device.ts'

/** Operations of server admins on users, after Synapse's admin API. */
export const userAdminEndpoints: readonly AnyEndpoint[] = [
  synapseAddUserDevice,
  synapseDeactivateUser,
  synapseDeleteUserDevice,
  synapseDeleteUserDevices,
  synapseGetJoinedRooms,
  synapseGetMemberships,
  synapseGetUserAccountData,
  synapseGetUserAdmin,
  synapseGetUserDevice,
  synapseGetUserDevices,
  synapseGetUserPushers,
  synapseGetUser,
  synapseIsUsernameAvailable,
  synapseListUsersV2,
  synapseListUsersV3,
  synapseLogInAsUser,
  synapsePutUser,
  synapseResetPassword,
  synapseSetUserAdmin,
  synapseSuspendUser,
  synapseUpdateUserDevice,
]
