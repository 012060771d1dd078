// SPDX-License-Identifier: Apache-2.0
import { DeviceListFetches } from './device-lists/device-list-fetches.ts'
import { Outbound } from './delivery/federation/outbound.ts'
import { startMaintenance } from './maintenance.ts'
import { wakeWatchers } from './runtime/presence/wake-watchers.ts'
import { Inbound } from './rooms/intake/inbound.ts'
import { RoomCompletions } from './delivery/room-completions.ts'
import type { Runtime } from './runtime/runtime.ts'

/** What runs beside the requests. */
export interface Workers {
  /** Judges what other servers sent. */
  readonly inbound: Inbound
  /** Sends to other servers what concerns them. */
  readonly outbound: Outbound
  /** Fetches the device lists of users of other servers. */
  readonly deviceLists: DeviceListFetches
  /** Learns who is in rooms that were entered without knowing. */
  readonly completions: RoomCompletions
  /** Finishes what is under way and takes up nothing more. */
  close(): Promise<void>
}

/** Starts everything that runs beside the requests; it all goes on where it stopped. */
export function startWorkers(rt: Runtime): Workers {
  const inbound = new Inbound(rt)
  const outbound = new Outbound(rt)
  const deviceLists = new DeviceListFetches(rt)
  const completions = new RoomCompletions(rt)
  const stopHousekeeping = startMaintenance(rt)
  const stopWaking = wakeWatchers(rt)
  return {
    inbound,
    outbound,
    deviceLists,
    completions,
    close: async () => {
      stopHousekeeping()
      stopWaking()
      await outbound.close()
      await deviceLists.close()
      await completions.close()
      await inbound.close()
    },
  }
}
