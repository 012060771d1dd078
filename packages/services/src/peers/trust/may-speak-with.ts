// SPDX-License-Identifier: Apache-2.0
import type { Runtime } from '../../runtime/runtime.ts'

/** Whether the admin lets this server speak with another one, in either direction. */
export function maySpeakWith({ config }: Pick<Runtime, 'config'>, server: string): boolean {
  const { allowedServers, deniedServers } = config.federation
  return !deniedServers.includes(server) && (allowedServers?.includes(server) ?? true)
}
