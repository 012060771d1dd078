// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@myelin/kit/clock'
import { HostThrottle } from '@myelin/kit/host-throttle'
import { RateLimiter } from '@myelin/kit/rate-limit'
import type { RateLimits } from '@myelin/kit/settings'
import { MatrixError } from '@myelin/matrix/errors'
import type { ServerName } from '@myelin/matrix/ids'

/** The limits, each counted by its own key. */
export type LimitName =
  | 'message'
  | 'registration'
  | 'registrationTokens'
  | 'loginAddress'
  | 'loginAccount'
  | 'loginFailed'
  | 'joinLocal'
  | 'joinRemote'
  | 'joinPerRoom'
  | 'invitePerIssuer'
  | 'invitePerRoom'
  | 'invitePerUser'
  | 'presence'
  | 'remoteMedia'
  | 'policySender'
  | 'reports'
  | 'thirdPartyInvites'
  | 'userDirectory'
  | 'roomCreation'
  | 'profiles'
  | 'publicRooms'
  | 'search'
  | 'urlPreviews'
  | 'mediaCreate'
  | 'keyUploads'
  | 'toDevice'
  | 'remoteLookups'
  | 'delayedEvents'
  | 'callTokens'

// The requests to other servers that run for one client at a time, and those that wait for their turn.
const LOOKUPS = { windowMs: 1000, sleepLimit: Infinity, sleepDelayMs: 0, rejectLimit: 500, concurrent: 20 }

type Limiters = Readonly<Record<LimitName, RateLimiter>>

function limitersOf(clock: Clock, limits: RateLimits): Limiters {
  const { message, registration, login, joins, invites, presence, remoteMedia, policySender } = limits
  return {
    message: new RateLimiter(clock, message),
    registration: new RateLimiter(clock, registration),
    registrationTokens: new RateLimiter(clock, limits.registrationTokens),
    loginAddress: new RateLimiter(clock, login.address),
    loginAccount: new RateLimiter(clock, login.account),
    loginFailed: new RateLimiter(clock, login.failedAttempts),
    joinLocal: new RateLimiter(clock, joins.local),
    joinRemote: new RateLimiter(clock, joins.remote),
    joinPerRoom: new RateLimiter(clock, joins.perRoom),
    invitePerIssuer: new RateLimiter(clock, invites.perIssuer),
    invitePerRoom: new RateLimiter(clock, invites.perRoom),
    invitePerUser: new RateLimiter(clock, invites.perUser),
    presence: new RateLimiter(clock, presence),
    remoteMedia: new RateLimiter(clock, remoteMedia),
    policySender: new RateLimiter(clock, policySender),
    reports: new RateLimiter(clock, limits.reports),
    thirdPartyInvites: new RateLimiter(clock, limits.thirdPartyInvites),
    userDirectory: new RateLimiter(clock, limits.userDirectory),
    roomCreation: new RateLimiter(clock, limits.roomCreation),
    profiles: new RateLimiter(clock, limits.profiles),
    publicRooms: new RateLimiter(clock, limits.publicRooms),
    search: new RateLimiter(clock, limits.search),
    urlPreviews: new RateLimiter(clock, limits.urlPreviews),
    mediaCreate: new RateLimiter(clock, limits.mediaCreate),
    keyUploads: new RateLimiter(clock, limits.keyUploads),
    toDevice: new RateLimiter(clock, limits.toDevice),
    remoteLookups: new RateLimiter(clock, limits.remoteLookups),
    delayedEvents: new RateLimiter(clock, limits.delayedEvents),
    callTokens: new RateLimiter(clock, limits.callTokens),
  }
}

function throttlesOf(clock: Clock, { federation }: RateLimits) {
  return {
    servers: new HostThrottle(clock, federation),
    // One transaction at a time; waiting ones do not count among the server's requests.
    transactions: new HostThrottle(clock, { ...federation, concurrent: 1, sleepLimit: Infinity }),
  }
}

/** The server's rate limits, in memory: each node counts its own requests (decision 43). */
export class Limits {
  readonly #clock: Clock
  readonly #isUnlimited: (key: string) => boolean
  readonly #lookups: HostThrottle
  #limiters: Limiters
  #servers: HostThrottle
  #transactions: HostThrottle

  /** @param isUnlimited returns whether no limit applies to a key, which may be a user ID; in no case by default */
  constructor(clock: Clock, limits: RateLimits, isUnlimited: (key: string) => boolean = () => false) {
    this.#clock = clock
    this.#isUnlimited = isUnlimited
    this.#lookups = new HostThrottle(clock, LOOKUPS)
    this.#limiters = limitersOf(clock, limits)
    ;({ servers: this.#servers, transactions: this.#transactions } = throttlesOf(clock, limits))
  }

  /** Takes up other limits; what was counted so far is forgotten. */
  configure(limits: RateLimits): void {
    this.#limiters = limitersOf(this.#clock, limits)
    ;({ servers: this.#servers, transactions: this.#transactions } = throttlesOf(this.#clock, limits))
  }

  /** Counts one use; throws `M_LIMIT_EXCEEDED` with `retry_after_ms` when the bucket is empty. */
  take(name: LimitName, key: string): void {
    if (!this.#isUnlimited(key)) refuseFor(this.#limiters[name].take(key))
  }

  /** Counts a cost that is known afterwards; {@link check} refuses until the bucket has refilled. */
  spend(name: LimitName, key: string, count: number): void {
    this.#limiters[name].spend(key, count)
  }

  /**
   * Runs the work of another server's request in its turn; throws like {@link take} where too many of its requests
   * wait.
   */
  async ofServer<T>(server: ServerName, work: () => Promise<T>): Promise<T> {
    return inTurn(this.#servers.take(server), work)
  }

  /** Runs the work of a transaction after the server's earlier ones; throws like {@link ofServer}. */
  async ofTransaction<T>(server: ServerName, work: () => Promise<T>): Promise<T> {
    return inTurn(this.#transactions.take(server), () => this.ofServer(server, work))
  }

  /**
   * Runs a request to another server on behalf of a client, in its turn; throws like {@link take}.
   *
   * @param payer the user, or the address of a client without an access token
   */
  async lookUp<T>(payer: string, work: () => Promise<T>): Promise<T> {
    this.take('remoteLookups', payer)
    return inTurn(this.#lookups.take(payer), work)
  }

  /** Counts one for the requester, or for the address where the request has no token. */
  takeFor(name: LimitName, { userId }: { readonly userId: string }, address: string): void {
    this.take(name, userId === '' ? address : userId)
  }

  /** Throws like {@link take} when the bucket is empty, without counting. */
  check(name: LimitName, key: string): void {
    if (!this.#isUnlimited(key)) refuseFor(this.#limiters[name].peek(key))
  }
}

async function inTurn<T>(turn: Promise<() => void> | number, work: () => Promise<T>): Promise<T> {
  if (typeof turn === 'number') refuseFor(Math.max(1, turn))
  const end = await turn
  try {
    return await work()
  } finally {
    if (typeof end === 'function') end()
  }
}

function refuseFor(retryAfterMs: number): void {
  if (retryAfterMs > 0) {
    throw new MatrixError('M_LIMIT_EXCEEDED', 'too many requests', {
      extra: { retry_after_ms: Math.ceil(retryAfterMs) },
    })
  }
}
