// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { accountDataBetween } from '@myelin/storage/accounts/account-data'
import type { EncodedAccountData } from '@myelin/storage/accounts/account-data'
import type { Read } from '@myelin/storage/engine/database'
import { changedRooms } from '@myelin/storage/sync/changed-rooms'
import { waitingToDevice } from '@myelin/storage/sync/to-device'
import type { ToDeviceMessage } from '@myelin/storage/sync/to-device'
import { passesRoom } from '../room-state/event-filter.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { deviceListChanges } from './device-lists.ts'
import type { DeviceLists } from './device-lists.ts'
import { profileUpdates } from './profile-updates.ts'
import type { ProfileUpdates } from './profile-updates.ts'
import { MAX_STICKY, mayHaveSticky, readSticky } from './sticky.ts'
import type { StickySection } from './sticky.ts'
import type { Slice } from './sync-request.ts'

/** The tools that sections of `/sync` use beside the database. */
export type SyncTools = Pick<Runtime, 'typing' | 'config'>

const MAX_TO_DEVICE = 100
const NO_CHANGES: DeviceLists = Object.freeze({ changed: [], left: [] })

/**
 * A slice of the log with what several sections of its answer need; each of these is read at most once.
 *
 * Sections do not call each other: what two of them need is here.
 */
export class SyncScope {
  readonly tools: SyncTools
  readonly db: Read
  readonly slice: Slice
  #moved: Promise<ReadonlySet<RoomId>> | undefined
  #accountData: Promise<readonly EncodedAccountData[]> | undefined
  #deviceLists: Promise<DeviceLists> | undefined
  #toDevice: Promise<readonly ToDeviceMessage[]> | undefined
  #profiles: Promise<ProfileUpdates | undefined> | undefined
  #sticky: Promise<StickySection | undefined> | undefined

  constructor(tools: SyncTools, db: Read, slice: Slice) {
    this.tools = tools
    this.db = db
    this.slice = slice
  }

  /** The position after which the slice begins; 0 at the first sync. */
  get after(): number {
    return this.slice.since?.position ?? 0
  }

  /** The position up to which the slice reaches. */
  get upTo(): number {
    return this.slice.upTo.position
  }

  /** Returns the user's rooms in which something changed; undefined where all joined rooms are wanted. */
  async moved(): Promise<ReadonlySet<RoomId> | undefined> {
    if (this.slice.since === undefined || this.slice.request.isFullState) return undefined
    this.#moved ??= changedRooms(this.db, this.slice.user, this.after)
    return this.#moved
  }

  /** Returns the user's account data that changed, of rooms too. */
  accountData(): Promise<readonly EncodedAccountData[]> {
    return (this.#accountData ??= accountDataBetween(this.db, this.slice.user, this.after, this.upTo))
  }

  /** Returns the users whose device lists changed; none at the first sync. */
  deviceLists(): Promise<DeviceLists> {
    return (this.#deviceLists ??= this.#readDeviceLists())
  }

  async #readDeviceLists(): Promise<DeviceLists> {
    const { user, memberships, since } = this.slice
    if (!since) return NO_CHANGES
    const moved = await this.moved()
    return deviceListChanges(this.db, { user, after: this.after, upTo: this.upTo, memberships, moved })
  }

  /** Returns the sticky events that are new to the client; undefined where there are none. */
  sticky(): Promise<StickySection | undefined> {
    return (this.#sticky ??= this.#readSticky())
  }

  async #readSticky(): Promise<StickySection | undefined> {
    const { memberships, since, request } = this.slice
    const after = since?.sticky ?? this.after
    const isWanted = (roomId: RoomId) => passesRoom(roomId, request.filter.rooms)
    const mayHave = memberships.some(
      ({ membership, roomId, position }) =>
        membership === 'join' && mayHaveSticky(this.db, roomId, position > after ? 0 : after),
    )
    return mayHave ? readSticky(this.db, this.slice, { after, limit: MAX_STICKY, isWanted }) : undefined
  }

  /** Returns the profiles that the filter names; undefined where it names none. */
  profiles(): Promise<ProfileUpdates | undefined> {
    return (this.#profiles ??= this.#readProfiles())
  }

  async #readProfiles(): Promise<ProfileUpdates | undefined> {
    const { profileFields } = this.slice.request.filter
    const { isInSync, maxInAnswer: limit } = this.tools.config.profiles
    if (!isInSync || profileFields.length === 0) return undefined
    return profileUpdates(this, { shown: [], startsWithAll: true, fields: new Set(profileFields), limit })
  }

  /** Returns the to-device messages that wait for the device, the oldest first, at most 100. */
  toDevice(): Promise<readonly ToDeviceMessage[]> {
    const { user, request } = this.slice
    return (this.#toDevice ??= waitingToDevice(this.db, user, request.requester.deviceId, {
      after: request.since?.toDevice ?? 0,
      upTo: this.upTo,
      limit: MAX_TO_DEVICE,
    }))
  }
}
