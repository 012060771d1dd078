// SPDX-License-Identifier: Apache-2.0
import type { Bus } from '@myelin/kit/bus'
import type { Clock } from '@myelin/kit/clock'
import type { Log } from '@myelin/kit/log'
import type { Metrics } from '@myelin/kit/metrics'
import type { Random } from '@myelin/kit/random'
import type { ServiceConfig } from '@myelin/kit/settings'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { SigningKey } from '@myelin/matrix/signatures'
import type { Federation } from '@myelin/remote/federation'
import type { Database } from '@myelin/storage/engine/database'
import type { AppService } from './app-services.ts'
import type { Typing } from './typing.ts'
import type { Limits } from './limits.ts'
import type { BlobStore } from './blob-store.ts'
import type { PreviewTurns } from './preview-turns.ts'
import type { PresenceTracker } from './presence-tracker.ts'
import type { SyncThrottle } from './sync-throttle.ts'

/**
 * The connections to the outside world, created once in `server/compose.ts`.
 *
 * It holds tools, never use cases: services call each other by import, so that the import graph shows the dependencies.
 */
export interface Runtime {
  readonly serverName: ServerName
  /** The key that this server signs with. */
  readonly signingKey: SigningKey
  readonly otherKeys: OtherKeys
  readonly db: Database
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly config: ServiceConfig
  readonly log: Log
  readonly metrics: Metrics
  readonly limits: Limits
  /** The typing users by room, in memory because they may be lost. */
  readonly typing: Typing
  /** The presence of local users; the result is on disk. */
  readonly presence: PresenceTracker
  /** The files behind media. */
  readonly blobs: BlobStore
  /** The previews of web pages that are being made. */
  readonly previews: PreviewTurns
  /** Limits how often a device's sync is answered while its rooms are busy. */
  readonly syncThrottle: SyncThrottle
  /** The client for requests to other servers. */
  readonly remote: Federation
}

/** Keys with which this server signs no events of its own. */
interface OtherKeys {
  /** Further published keys: the next ones, or those in use until now. */
  readonly published: readonly SigningKey[]
  /** Further keys that this server signs with as a notary. */
  readonly notary: readonly SigningKey[]
  /**
   * The key that it signs with as a policy server, always named `ed25519:policy_server`; undefined where it is none.
   */
  readonly policy: SigningKey | undefined
}

/** The requester: an account on one of its devices. */
export interface Requester {
  readonly userId: UserId
  readonly deviceId: string
  readonly isAdmin: boolean
  readonly isGuest: boolean
  /** The application service that acts for the account. */
  readonly appService?: AppService
}
