// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getLoginFlows } from './get-login-flows.ts'
import { login } from './login.ts'
import { logoutAll } from './logout-all.ts'
import { logout } from './logout.ts'
import { refresh } from './refresh.ts'

/** Login and logout. */
export const sessionEndpoints: readonly AnyEndpoint[] = [getLoginFlows, login, logoutAll, logout, refresh]
