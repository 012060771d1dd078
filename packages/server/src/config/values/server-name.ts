// SPDX-License-Identifier: Apache-2.0
import { isServerName } from '@myelin/matrix/ids'

const MAX_PORT = 65_535

/** Returns the fault of a server name, as words that follow the name of the setting; undefined if it is valid. */
export function serverNameFault(name: string): string | undefined {
  if (!isServerName(name)) return 'must be a host name, with a port if need be, and without https://'
  if (name !== name.toLowerCase()) return `must be in lower case: ${name.toLowerCase()}`
  const host = name.replace(/:\d+$/, '')
  if (host.endsWith('.')) return `must not end with a dot: ${name.replace(/\.+(?=(:\d+)?$)/, '')}`
  if (host.startsWith('.') || host.includes('..')) return 'must be a host name without empty parts'
  const port = Number(name.slice(host.length + 1))
  if (port > MAX_PORT) return `must have a port of at most ${MAX_PORT}`
  return undefined
}
