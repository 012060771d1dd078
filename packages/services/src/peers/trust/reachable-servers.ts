// SPDX-License-Identifier: Apache-2.0
import type { Bus } from '@myelin/kit/bus'
import type { ServerName } from '@myelin/matrix/ids'

const PREFIX = 'heard from '

/** Announces on this node that a server is reachable, because it just sent a valid signature. */
export function noteServerReachable(bus: Bus, server: ServerName): void {
  bus.announce({ position: 0, topics: new Set([`${PREFIX}${server}`]) })
}

/** Returns the server of a reachability topic; undefined for other topics. */
export function serverOfReachableTopic(topic: string): ServerName | undefined {
  return topic.startsWith(PREFIX) ? (topic.slice(PREFIX.length) as ServerName) : undefined
}
