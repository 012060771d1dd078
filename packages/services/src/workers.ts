// SPDX-License-Identifier: Apache-2.0
import { DeviceListFetches } from './device-lists/device-list-fetches.ts'
import { AppServiceSender } from './delivery/app-services/app-service-sender.ts'
import { DelayedEventSender } from './delivery/delayed-event-sender.ts'
import { DelegatedLeaveWatcher } from './delivery/delegated-leave-watcher.ts'
import { Outbound } from './delivery/federation/outbound.ts'
import { OwedWork } from './delivery/owed-work.ts'
import { StickyEventWatcher } from './delivery/sticky-event-watcher.ts'
import { startMaintenance } from './maintenance.ts'
import { SearchIndexer } from './delivery/search-indexer.ts'
import { PushSender } from './delivery/push/push-sender.ts'
import { appServices } from './runtime/app-services.ts'
import { wakePresenceWatchers } from './runtime/presence/wake-watchers.ts'
import { Inbound } from './rooms/intake/inbound.ts'
import { RoomCompletions } from './delivery/room-completions.ts'
import type { Runtime } from './runtime/runtime.ts'

/** The background workers. */
export interface Workers {
  /** Judges events of other servers. */
  readonly inbound: Inbound
  /** Sends events and EDUs to other servers. */
  readonly outbound: Outbound
  /** Pushes events to users' apps; undefined where push is disabled. */
  readonly push: PushSender | undefined
  /** Fills the search index; undefined where search is disabled. */
  readonly search: SearchIndexer | undefined
  /** Sends delayed events when they are due. */
  readonly delayedEvents: DelayedEventSender
  /** Ends stickiness at its time, and judges soft-failed sticky events again. */
  readonly stickyEvents: StickyEventWatcher
  /** Finishes what changes owe where a node died. */
  readonly owedWork: OwedWork
  /** Sends delayed leaves of participants that the SFU no longer sees; undefined without an SFU. */
  readonly delegatedLeaves: DelegatedLeaveWatcher | undefined
  /** Send events to application services. */
  readonly appServices: readonly AppServiceSender[]
  /** Fetches the device lists of remote users. */
  readonly deviceLists: DeviceListFetches
  /** Completes partially joined rooms. */
  readonly completions: RoomCompletions
  /** Finishes the work in progress and starts nothing new. */
  close(): Promise<void>
}

/** Starts the background workers; each resumes where it stopped. */
export function startWorkers(rt: Runtime): Workers {
  const inbound = new Inbound(rt)
  const outbound = new Outbound(rt)
  const push = rt.config.push.isEnabled ? new PushSender(rt) : undefined
  const search = rt.config.search.isEnabled ? new SearchIndexer(rt) : undefined
  const delayedEvents = new DelayedEventSender(rt)
  const stickyEvents = new StickyEventWatcher(rt)
  const owedWork = new OwedWork(rt)
  const delegatedLeaves = rt.config.rtc.livekit ? new DelegatedLeaveWatcher(rt) : undefined
  const senders = appServices(rt.config)
    .all.filter(({ settings }) => settings.url !== undefined)
    .map((service) => new AppServiceSender(rt, service))
  const deviceLists = new DeviceListFetches(rt)
  const completions = new RoomCompletions(rt)
  const stopHousekeeping = startMaintenance(rt)
  const stopWaking = wakePresenceWatchers(rt)
  return {
    inbound,
    outbound,
    push,
    search,
    delayedEvents,
    stickyEvents,
    owedWork,
    delegatedLeaves,
    appServices: senders,
    deviceLists,
    completions,
    close: async () => {
      stopHousekeeping()
      stopWaking()
      await delegatedLeaves?.close()
      await delayedEvents.close()
      await stickyEvents.close()
      await owedWork.close()
      await Promise.all(senders.map((sender) => sender.close()))
      await push?.close()
      await search?.close()
      await outbound.close()
      await deviceLists.close()
      await completions.close()
      await inbound.close()
    },
  }
}
