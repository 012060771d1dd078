// SPDX-License-Identifier: Apache-2.0
import type { Runtime } from '../../runtime/runtime.ts'

/** Returns whether the admin allows federation with another server, in either direction. */
export function mayFederateWith({ config }: Pick<Runtime, 'config'>, server: string): boolean {
  const { allowedServers, deniedServers } = config.federation
  return !deniedServers.includes(server) && (allowedServers?.includes(server) ?? true)
}
