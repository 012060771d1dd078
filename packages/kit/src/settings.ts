// SPDX-License-Identifier: Apache-2.0
import type { AppServiceSettings } from './settings/app-services.ts'
import type { AutoJoinSettings, DirectorySettings, RoomSettings, ServerNoticeSettings } from './settings/rooms.ts'

/**
 * The parts of the configuration that use-cases read, frozen, with units in the names.
 *
 * They are here and not beside the schema, so that `services` can use them without a dependency on their source.
 */
export interface ServiceConfig {
  /** The server name in every ID that this server makes. */
  readonly serverName: string
  /** The base URL for clients; ends in a slash. */
  readonly baseUrl: string
  /** The contact of the server's admin, if configured. */
  readonly adminContact: string | undefined
  readonly registration: RegistrationSettings
  readonly passwords: PasswordSettings
  readonly sessions: SessionSettings
  readonly profiles: ProfileSettings
  readonly rooms: RoomSettings
  readonly directory: DirectorySettings
  readonly autoJoin: AutoJoinSettings
  /** Undefined where there are no server notices. */
  readonly serverNotices: ServerNoticeSettings | undefined
  readonly media: MediaSettings
  readonly urlPreviews: UrlPreviewSettings
  readonly presence: PresenceSettings
  readonly delayedEvents: DelayedEventSettings
  readonly push: PushSettings
  readonly search: SearchSettings
  readonly rateLimits: RateLimits
  readonly wellKnown: WellKnownSettings
  readonly caches: CacheSettings
  readonly federation: FederationSettings
  readonly disclosure: DisclosureSettings
  readonly turn: TurnSettings
  readonly rtc: RtcSettings
  readonly policyServer: PolicyServerSettings
  readonly appServices: readonly AppServiceSettings[]
}

/** The search for events by their words. */
export interface SearchSettings {
  /** Users may search, and events are indexed. */
  readonly isEnabled: boolean
}

/** MatrixRTC: the transports of calls, and the LiveKit SFU that this server issues tokens for. */
export interface RtcSettings {
  /** The transports that are announced to clients, as configured. */
  readonly transports: readonly Readonly<Record<string, unknown>>[]
  /** The SFU; undefined where this server issues no tokens. */
  readonly livekit: LivekitSettings | undefined
}

/** A LiveKit SFU. */
export interface LivekitSettings {
  /** The WebSocket URL that clients connect to. */
  readonly url: string
  /** The base URL of its API, over HTTP, as this server reaches it; without a slash at the end. */
  readonly apiUrl: string
  readonly key: string
  readonly secret: string
}

/** The TURN servers for calls; disabled without `uris` or credentials. */
export interface TurnSettings {
  readonly uris: readonly string[]
  /**
   * The secret shared with the TURN servers, for credentials that last for `lifetimeMs`; without it all users get the
   * same name and password.
   */
  readonly sharedSecret: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly lifetimeMs: number
  readonly allowsGuests: boolean
}

/** The events that this server refuses as the policy server of a room. */
export interface PolicyServerSettings {
  readonly isEnabled: boolean
  /** Globs of the IDs of the rooms that it serves; undefined for all rooms that name it. */
  readonly rooms: readonly string[] | undefined
  /** The IDs of rooms with `m.policy.rule.*` events to apply. */
  readonly banLists: readonly string[]
  /** The power level from which only the ban lists apply. */
  readonly exemptPower: number
  /** Globs that no text in an event may match, without regard to case. */
  readonly forbiddenTexts: readonly string[]
  /** The most users that one event may mention; undefined for no limit. */
  readonly maxMentions: number | undefined
  readonly newcomers: NewcomerSettings
}

/** The events that are refused to users who joined less than `forMs` ago. */
interface NewcomerSettings {
  readonly forMs: number
  /** Globs of event types. */
  readonly eventTypes: readonly string[]
  /** Globs of the `msgtype` of messages. */
  readonly messageTypes: readonly string[]
  readonly mayLink: boolean
}

/** The data that other servers may read beyond what federation requires. */
export interface DisclosureSettings {
  readonly allowsProfileLookup: boolean
  readonly allowsPublicRooms: boolean
  readonly allowsDeviceNames: boolean
}

/** Settings of registration. */
export interface RegistrationSettings {
  /** Registration is open. */
  readonly isEnabled: boolean
  /** Registration requires a token. */
  readonly requiresToken: boolean
  /** The secret for registering accounts, admins included; undefined disables it. */
  readonly sharedSecret: string | undefined
  /** Guest accounts may be registered. */
  readonly allowsGuests: boolean
}

/** Settings of passwords. */
export interface PasswordSettings {
  readonly isEnabled: boolean
  readonly policy: PasswordPolicy
}

/** The policy for new passwords; without effect where it is disabled. */
export interface PasswordPolicy {
  readonly isEnabled: boolean
  readonly minimumLength: number
  readonly requiresDigit: boolean
  readonly requiresSymbol: boolean
  readonly requiresLowercase: boolean
  readonly requiresUppercase: boolean
}

/** The lifetime of sessions and their tokens; undefined for no limit. */
export interface SessionSettings {
  /** The lifetime of a session, however often it is refreshed. */
  readonly sessionMs: number | undefined
  /** The lifetime of an access token for clients that support refreshing; undefined disables refresh tokens. */
  readonly refreshableAccessTokenMs: number | undefined
  /** The lifetime of an access token for other clients. */
  readonly nonrefreshableAccessTokenMs: number | undefined
  readonly refreshTokenMs: number | undefined
}

/** The changes that users may make to their own profiles, and whether others get them. */
export interface ProfileSettings {
  /** Reading a profile requires an access token. */
  readonly requiresToken: boolean
  /** Only users who share a room with a user may read the profile. */
  readonly requiresSharedRoom: boolean
  readonly maySetDisplayName: boolean
  readonly maySetAvatarUrl: boolean
  /** Changes of profiles are in sync responses (MSC4262, MSC4429). */
  readonly isInSync: boolean
  /** The most profiles in one of them; the others come with the next ones. */
  readonly maxInAnswer: number
}

/** Events that are sent later. */
interface DelayedEventSettings {
  /** The longest delay; 0 disables delayed events. */
  readonly maxDelayMs: number
  /** The most events that a user may have scheduled. */
  readonly maxPerUser: number
}

/** The folder for media, and their size limits. */
export interface MediaSettings {
  readonly storePath: string
  readonly maxUploadBytes: number
  readonly maxImagePixels: number
  /** New media are served to authenticated clients only. */
  readonly requiresAuthentication: boolean
  /** The most media IDs of one user that are reserved and not used. */
  readonly maxPending: number
  /** The time for which a reserved media ID can be used. */
  readonly unusedMs: number
  /** The servers whose media are not served to users. */
  readonly blockedServers: readonly string[]
  /** The time after the last access for which media of other servers are kept; undefined for ever. */
  readonly remoteLifetimeMs: number | undefined
  /** The limits of the bytes that one user uploads in a time; all apply. */
  readonly uploadLimits: readonly UploadLimit[]
}

/** A limit of the bytes that one user uploads in a time. */
interface UploadLimit {
  readonly maxBytes: number
  readonly periodMs: number
  /** The page that explains the limit; undefined for the one of this server. */
  readonly infoUri: string | undefined
  /** The user can get a higher limit. */
  readonly canUpgrade: boolean
}

/** Previews of web pages. */
export interface UrlPreviewSettings {
  readonly isEnabled: boolean
  /** The largest page or image that is fetched. */
  readonly maxBytes: number
  /** The entries of the `Accept-Language` header. */
  readonly languages: readonly string[]
  /** The URLs that are not fetched; one rule suffices. */
  readonly blockedUrls: readonly UrlRule[]
  readonly oembedEndpoints: readonly OEmbedEndpoint[]
  /** The ranges of addresses that pages are not fetched from, and the exceptions. */
  readonly addresses: { readonly blocked: readonly string[]; readonly allowed: readonly string[] }
}

/** The parts of a URL that a rule may name, in Synapse's words. */
export const URL_PARTS = [
  'scheme',
  'netloc',
  'path',
  'query',
  'fragment',
  'username',
  'password',
  'hostname',
  'port',
] as const

/** A rule that blocks URLs: all of its parts must match, by a glob or a regular expression. */
export type UrlRule = ReadonlyMap<(typeof URL_PARTS)[number], string | RegExp>

/** An oEmbed endpoint. */
export interface OEmbedEndpoint {
  /** Globs of the URLs that it describes, as in the list at oembed.com. */
  readonly schemes: readonly string[]
  readonly url: string
}

/** Push notifications. */
export interface PushSettings {
  /** Events are pushed. */
  readonly isEnabled: boolean
  /** A push of a whole event includes its content. */
  readonly includesContent: boolean
  /** A badge counts rooms with unread notifications; otherwise it counts the notifications. */
  readonly countsRooms: boolean
  /** Every encrypted event is pushed unless the user disabled the rule for it (MSC4028). */
  readonly withEncryptedEvents: boolean
  /** A push waits for a random time of up to this. */
  readonly jitterMs: number
}

/** Presence is enabled. */
export interface PresenceSettings {
  readonly isEnabled: boolean
}

/** A token bucket: `burstCount` at once, then `perSecond`. */
export interface RateLimit {
  readonly perSecond: number
  readonly burstCount: number
}

/**
 * The limits for one other server: `concurrent` requests at a time; above `sleepLimit` within `windowMs` each is
 * delayed by `sleepDelayMs`; above `rejectLimit` waiting ones, requests are refused.
 */
export interface HostLimit {
  readonly windowMs: number
  readonly sleepLimit: number
  readonly sleepDelayMs: number
  readonly rejectLimit: number
  readonly concurrent: number
}

/** The rate limits, each per the key in its name. */
export interface RateLimits {
  /** Events, per sender. */
  readonly message: RateLimit
  /** New accounts, per address. */
  readonly registration: RateLimit
  /** Checks of registration tokens, and wrong ones at registration, per address. */
  readonly registrationTokens: RateLimit
  readonly login: {
    /** Log-ins, per address. */
    readonly address: RateLimit
    /** Log-ins, per account. */
    readonly account: RateLimit
    /** Failed log-ins, per account. */
    readonly failedAttempts: RateLimit
  }
  readonly joins: {
    /** Joins of rooms that this server is in, per user. */
    readonly local: RateLimit
    /** Joins of rooms that this server is not in, per user. */
    readonly remote: RateLimit
    /** Joins of local users, per room. */
    readonly perRoom: RateLimit
  }
  readonly invites: {
    readonly perRoom: RateLimit
    /** Invites, per inviter. */
    readonly perIssuer: RateLimit
    /** Invites, per invited user. */
    readonly perUser: RateLimit
  }
  /** Bytes of remote media downloaded, per user. */
  readonly remoteMedia: RateLimit
  /** Requests of other servers, per server. */
  readonly federation: HostLimit
  /** Presence changes, per user. */
  readonly presence: RateLimit
  /** Events that this server signs as a policy server, per sender. */
  readonly policySender: RateLimit
  /** Media IDs that are reserved, per user. */
  readonly mediaCreate: RateLimit
  /** Pages fetched for previews, per user. */
  readonly urlPreviews: RateLimit
  /** Reports, per user. */
  readonly reports: RateLimit
  /** Invites of e-mail addresses and phone numbers, per inviter. */
  readonly thirdPartyInvites: RateLimit
  /** Searches of the user directory, per user. */
  readonly userDirectory: RateLimit
  /** Rooms created, upgrades among them, per user. */
  readonly roomCreation: RateLimit
  /** Profile lookups, per user, or per address without a token. */
  readonly profiles: RateLimit
  /** Searches of room directories, per user, or per address without a token. */
  readonly publicRooms: RateLimit
  /** Searches for events, per user. */
  readonly search: RateLimit
  /** Uploads of keys, per device. */
  readonly keyUploads: RateLimit
  /** Requests that send to-device messages, per device. */
  readonly toDevice: RateLimit
  /** Requests to other servers on behalf of a client, per user, or per address without a token. */
  readonly remoteLookups: RateLimit
  /** Tokens for calls, per user, or per address without an access token. */
  readonly callTokens: RateLimit
  /** Requests that restart, cancel or send a delayed event, per user. */
  readonly delayedEvents: RateLimit
}

/** The contents of `/.well-known/matrix`. */
interface WellKnownSettings {
  readonly servesServer: boolean
  readonly servesClient: boolean
  /** Additional members of the client document. */
  readonly extraClientContent: Readonly<Record<string, unknown>>
  /** The public keys of the policy server with this name, by algorithm; undefined where there is none. */
  readonly policyServerKeys: Readonly<Record<string, string>> | undefined
}

/** The sizes of the in-memory caches. */
export interface CacheSettings {
  readonly events: number
}

/** The servers that this one federates with, and how keys are published and fetched. */
export interface FederationSettings {
  /** The only servers to federate with; undefined for all. */
  readonly allowedServers: readonly string[] | undefined
  /** Servers excluded from federation. */
  readonly deniedServers: readonly string[]
  /** The notaries for keys of unreachable servers, in order. */
  readonly keyServers: readonly KeyServer[]
  /** Keys that this server used earlier. */
  readonly oldSigningKeys: readonly OldSigningKey[]
  /** The validity of this server's published keys, in ms. */
  readonly keyRefreshMs: number
  /** The default timeout of a federation request. */
  readonly requestTimeoutMs: number
  /** The pause after a failure of a server: `firstMs`, then `factor` times as long each time, up to `longestMs`. */
  readonly retries: { readonly firstMs: number; readonly factor: number; readonly longestMs: number }
}

/** A notary, trusted for the keys of other servers. */
export interface KeyServer {
  readonly serverName: string
  /** Its own keys in Base64, by key ID; undefined to accept those that it publishes. */
  readonly verifyKeys: Readonly<Record<string, string>> | undefined
}

/** A key that signed until a time, for verifying old events. */
export interface OldSigningKey {
  readonly keyId: string
  /** Base64. */
  readonly publicKey: string
  readonly expiredTs: number
}
