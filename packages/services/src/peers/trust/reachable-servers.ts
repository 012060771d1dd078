// SPDX-License-Identifier: Apache-2.0
import type { Bus } from '@myelin/kit/bus'
import type { ServerName } from '@myelin/matrix/ids'

const PREFIX = 'heard from '

/** Tells this node that a server lives: it just showed us a signature of its own. */
export function noteServerReachable(bus: Bus, server: ServerName): void {
  bus.announce({ position: 0, topics: new Set([`${PREFIX}${server}`]) })
}

/** Which server a topic says we heard from. */
export function serverOfReachableTopic(topic: string): ServerName | undefined {
  return topic.startsWith(PREFIX) ? (topic.slice(PREFIX.length) as ServerName) : undefined
}
