// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bus } from '@myelin/kit/bus'
import { silentLog } from '@myelin/kit/log'
import type { Log } from '@myelin/kit/log'
import { silentMetrics } from '@myelin/kit/metrics'
import { seededRandom } from '@myelin/kit/random'
import type { ServiceConfig } from '@myelin/kit/settings'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import type { ServerName } from '@myelin/matrix/ids'
import { type SigningKey, signingKeyFromSeed } from '@myelin/matrix/signatures'
import { FailureLog } from '@myelin/remote/failure-log'
import { Federation } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Transport } from '@myelin/remote/transport'
import { mayFederateWith } from '@myelin/services/peers/trust/may-federate-with'
import { appServices } from '@myelin/services/runtime/app-services'
import { Typing } from '@myelin/services/runtime/typing'
import { Limits } from '@myelin/services/runtime/limits'
import { BlobStore } from '@myelin/services/runtime/blob-store'
import { PreviewTurns } from '@myelin/services/runtime/preview-turns'
import { PresenceTracker } from '@myelin/services/runtime/presence-tracker'
import type { Runtime } from '@myelin/services/runtime/runtime'
import { SyncThrottle } from '@myelin/services/runtime/sync-throttle'
import { closeAtEnd } from './close-at-end.ts'
import { openTemporarySqlite } from './databases.ts'
import type { OpenDatabase } from './databases.ts'

const unlimited = { perSecond: 1_000_000, burstCount: 1_000_000 }

/** Settings a test may change: registration is open, nothing is limited. */
export const testConfig: ServiceConfig = {
  serverName: 'one.test',
  baseUrl: 'https://one.test/',
  adminContact: undefined,
  registration: { isEnabled: true, requiresToken: false, sharedSecret: 'shared secret', allowsGuests: true },
  passwords: {
    isEnabled: true,
    policy: {
      isEnabled: false,
      minimumLength: 0,
      requiresDigit: false,
      requiresSymbol: false,
      requiresLowercase: false,
      requiresUppercase: false,
    },
  },
  sessions: {
    sessionMs: undefined,
    refreshableAccessTokenMs: 300_000,
    nonrefreshableAccessTokenMs: undefined,
    refreshTokenMs: undefined,
  },
  profiles: {
    requiresToken: false,
    requiresSharedRoom: false,
    maySetDisplayName: true,
    maySetAvatarUrl: true,
    isInSync: false,
    maxInAnswer: 500,
  },
  rooms: {
    defaultVersion: '12',
    powerLevels: {},
    encryptedPresets: [],
    allowsThirdPartyInvites: true,
    blocksInvites: false,
    datesOffers: true,
    forgetsOnLeave: false,
    aliasRules: undefined,
    publicationRules: undefined,
    aliasesNeedMembership: true,
  },
  serverNotices: undefined,
  autoJoin: {
    rooms: [],
    createsRooms: true,
    areFederated: true,
    preset: 'public_chat',
    localpart: undefined,
    isForGuests: true,
  },
  directory: {
    listsRooms: true,
    listsRoomsWithoutToken: true,
    listsUsers: true,
    findsAllUsers: false,
    prefersLocalUsers: false,
    excludesRemoteUsers: false,
    showsLockedUsers: false,
  },
  media: {
    storePath: '',
    maxUploadBytes: 1_000_000,
    maxImagePixels: 1_000_000,
    requiresAuthentication: true,
    maxPending: 5,
    unusedMs: 86_400_000,
    blockedServers: [],
    uploadLimits: [],
    remoteLifetimeMs: undefined,
  },
  urlPreviews: {
    isEnabled: true,
    maxBytes: 1_000_000,
    languages: ['en'],
    blockedUrls: [],
    oembedEndpoints: [],
    addresses: { blocked: [], allowed: [] },
  },
  presence: { isEnabled: false },
  delayedEvents: { maxDelayMs: 86_400_000, maxPerUser: 100 },
  push: { isEnabled: true, includesContent: true, countsRooms: true, withEncryptedEvents: false, jitterMs: 0 },
  search: { isEnabled: true },
  appServices: [],
  rateLimits: {
    message: unlimited,
    registration: unlimited,
    registrationTokens: unlimited,
    login: { address: unlimited, account: unlimited, failedAttempts: unlimited },
    joins: { local: unlimited, remote: unlimited, perRoom: unlimited },
    invites: { perRoom: unlimited, perUser: unlimited, perIssuer: unlimited },
    federation: {
      windowMs: 1000,
      sleepLimit: 1_000_000,
      sleepDelayMs: 0,
      rejectLimit: 1_000_000,
      concurrent: 1_000_000,
    },
    presence: unlimited,
    policySender: unlimited,
    reports: unlimited,
    thirdPartyInvites: unlimited,
    userDirectory: unlimited,
    roomCreation: unlimited,
    profiles: unlimited,
    publicRooms: unlimited,
    search: unlimited,
    urlPreviews: unlimited,
    mediaCreate: unlimited,
    keyUploads: unlimited,
    toDevice: unlimited,
    remoteLookups: unlimited,
    delayedEvents: unlimited,
    callTokens: unlimited,
    remoteMedia: { perSecond: 1e9, burstCount: 1e9 },
  },
  wellKnown: { servesServer: false, servesClient: true, extraClientContent: {}, policyServerKeys: undefined },
  caches: { events: 1000 },
  rtc: { transports: [], livekit: undefined },
  turn: {
    uris: [],
    sharedSecret: undefined,
    username: undefined,
    password: undefined,
    lifetimeMs: 3_600_000,
    allowsGuests: true,
  },
  disclosure: { allowsProfileLookup: true, allowsPublicRooms: true, allowsDeviceNames: false },
  federation: {
    allowedServers: undefined,
    deniedServers: [],
    keyServers: [],
    oldSigningKeys: [],
    keyRefreshMs: 86_400_000,
    requestTimeoutMs: 60_000,
    retries: { firstMs: 10_000, factor: 2, longestMs: 3_600_000 },
  },
  policyServer: {
    isEnabled: false,
    rooms: undefined,
    banLists: [],
    exemptPower: 50,
    forbiddenTexts: [],
    maxMentions: undefined,
    newcomers: { forMs: 0, eventTypes: [], messageTypes: [], mayLink: true },
  },
}

/** A runtime with a stopped clock and seeded chance, over real storage. */
export interface TestRuntime extends Runtime {
  readonly clock: StoppedClock
  close(): Promise<void>
}

/** The parts that several runtimes of one test share. */
export interface SharedParts {
  readonly clock?: StoppedClock
  /** The transport to other servers; without it, none can be reached. */
  readonly transport?: Transport
  /** Discards everything by default. */
  readonly log?: Log
}

const noTransport: Transport = {
  send: ({ destination }) => Promise.reject(new RemoteError('unreachable', `no way leads to ${destination}`)),
  close: async () => {},
}

/** Returns the signing key of a server name, the same in every test. */
export function testSigningKey(serverName: string): SigningKey {
  return signingKeyFromSeed('test', hash('sha256', serverName, 'buffer'))
}

/** Returns the key of a server name as a policy server, the same in every test. */
export function testPolicyKey(serverName: string): SigningKey {
  return signingKeyFromSeed('policy_server', hash('sha256', `policy of ${serverName}`, 'buffer'))
}

/** Makes one; its database goes when it closes. */
export async function testRuntime(
  open: OpenDatabase = openTemporarySqlite,
  config: Partial<ServiceConfig> = {},
  { clock = new StoppedClock(), transport = noTransport, log = silentLog }: SharedParts = {},
): Promise<TestRuntime> {
  const bus = new Bus()
  const db = await open({ committed: (hint) => bus.announce(hint) })
  const settings = { ...testConfig, ...config }
  const typing = new Typing(clock, bus, db.others)
  const random = seededRandom(`test ${settings.serverName}`)
  const serverName = settings.serverName as ServerName
  const signingKey = testSigningKey(serverName)
  const remote = new Federation(serverName, signingKey, transport, {
    mayCall: (server) => mayFederateWith({ config: settings }, server),
    failures: new FailureLog(log, clock),
  })
  const presence = new PresenceTracker({ db, clock, config: settings, log, serverName })
  const mediaFolder = await mkdtemp(join(tmpdir(), 'myelin-media-'))
  return {
    serverName,
    signingKey,
    otherKeys: {
      published: [],
      notary: [],
      policy: settings.policyServer.isEnabled ? testPolicyKey(settings.serverName) : undefined,
    },
    remote,
    db,
    bus,
    clock,
    typing,
    presence,
    random,
    blobs: new BlobStore(mediaFolder, random),
    previews: new PreviewTurns(),
    syncThrottle: new SyncThrottle(clock),
    config: settings,
    log,
    metrics: silentMetrics,
    limits: new Limits(clock, settings.rateLimits, (key) => appServices(settings).isUnlimited(key)),
    close: closeAtEnd(async () => {
      typing.close()
      await presence.close()
      await remote.close()
      await db.close()
      await rm(mediaFolder, { recursive: true })
    }),
  }
}
