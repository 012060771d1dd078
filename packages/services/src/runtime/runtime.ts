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
import type { Typing } from './typing.ts'
import type { Limits } from './limits.ts'
import type { BlobStore } from './blob-store.ts'
import type { PresenceTracker } from './presence/presence-tracker.ts'
import type { SyncThrottle } from './sync-throttle.ts'

/**
 * Everything that touches the outside world, made once in `server/compose.ts`.
 *
 * It holds tools, never use-cases: services call each other by import, so that
 * the import graph shows who depends on whom.
 */
export interface Runtime {
  readonly serverName: ServerName
  /** What this server signs with. */
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
  /** Who is typing where; lives in memory, because it may be lost. */
  readonly typing: Typing
  /** Which of our users are there; what it comes to is on disk. */
  readonly presence: PresenceTracker
  /** The files behind media. */
  readonly blobs: BlobStore
  /** How often a device is answered while its rooms are busy. */
  readonly syncThrottle: SyncThrottle
  /** Other servers, called in our name. */
  readonly remote: Federation
}

/** Keys with which this server makes no events. */
interface OtherKeys {
  /** Ours as well, for all to see: the next ones, or those that signed until now. */
  readonly published: readonly SigningKey[]
  /** What this server also signs with when it vouches for the keys of others. */
  readonly notary: readonly SigningKey[]
  /** What it signs others' events with as a policy server, always named `ed25519:policy_server`; undefined: it is none. */
  readonly policy: SigningKey | undefined
}

/** Who asks: an account on one of its devices. */
export interface Requester {
  readonly userId: UserId
  readonly deviceId: string
  readonly isAdmin: boolean
  readonly isGuest: boolean
}
