// SPDX-License-Identifier: Apache-2.0

/**
 * The parts of the configuration that use-cases read, frozen, with units in the names.
 *
 * They stand here and not beside the schema so that `services` can name them
 * without seeing where they come from.
 */
export interface ServiceConfig {
  /** The name after the colon in every id this server makes. */
  readonly serverName: string
  /** Where clients reach this server; ends in a slash. */
  readonly baseUrl: string
  /** Who to turn to about this server, if its admin said so. */
  readonly adminContact: string | undefined
  readonly registration: RegistrationSettings
  readonly passwords: PasswordSettings
  readonly sessions: SessionSettings
  readonly profiles: ProfileSettings
  readonly rooms: RoomSettings
  readonly media: MediaSettings
  readonly presence: PresenceSettings
  readonly rateLimits: RateLimits
  readonly wellKnown: WellKnownSettings
  readonly caches: CacheSettings
  readonly federation: FederationSettings
  readonly disclosure: DisclosureSettings
  readonly turn: TurnSettings
  readonly policyServer: PolicyServerSettings
}

/** The TURN servers that calls go through; without `uris` or credentials there are none. */
export interface TurnSettings {
  readonly uris: readonly string[]
  /** A secret shared with these servers makes credentials that last for `lifetimeMs`; else the name and password are everybody's. */
  readonly sharedSecret: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly lifetimeMs: number
  readonly allowsGuests: boolean
}

/** What this server refuses to sign where it is the policy server of a room. */
export interface PolicyServerSettings {
  readonly isEnabled: boolean
  /** Globs of the ids of the rooms it serves; undefined is all that name it. */
  readonly rooms: readonly string[] | undefined
  /** The ids of rooms whose `m.policy.rule.*` events say who is banned. */
  readonly banLists: readonly string[]
  /** Who has this power level in a room is held to the ban lists only. */
  readonly exemptPower: number
  /** Globs that no text in an event may have in it, whatever the case. */
  readonly forbiddenTexts: readonly string[]
  /** How many people one event may mention; undefined is any number. */
  readonly maxMentions: number | undefined
  readonly newcomers: NewcomerSettings
}

/** What is refused to who came into a room less than `forMs` ago. */
interface NewcomerSettings {
  readonly forMs: number
  /** Globs of types of events. */
  readonly eventTypes: readonly string[]
  /** Globs of the `msgtype` of messages. */
  readonly messageTypes: readonly string[]
  readonly mayLink: boolean
}

/** What other servers are told beyond what they must know. */
export interface DisclosureSettings {
  readonly tellsProfiles: boolean
  readonly tellsPublicRooms: boolean
  readonly tellsDeviceNames: boolean
}

/** Who may make an account, and what it takes. */
export interface RegistrationSettings {
  /** Whether anyone may make an account by themselves. */
  readonly isEnabled: boolean
  /** Whether making one takes a registration token. */
  readonly requiresToken: boolean
  /** Whoever knows it can make accounts and admins; undefined turns that door off. */
  readonly sharedSecret: string | undefined
}

/** Whether passwords work, and how good they must be. */
export interface PasswordSettings {
  readonly isEnabled: boolean
  readonly policy: PasswordPolicy
}

/** What a password that is set from now on must have; a policy that is not enabled asks for nothing. */
export interface PasswordPolicy {
  readonly isEnabled: boolean
  readonly minimumLength: number
  readonly requiresDigit: boolean
  readonly requiresSymbol: boolean
  readonly requiresLowercase: boolean
  readonly requiresUppercase: boolean
}

/** How long log-ins and their tokens live; undefined is for ever. */
export interface SessionSettings {
  /** A whole log-in, however often it is refreshed. */
  readonly sessionMs: number | undefined
  /** An access token of a client that can refresh; undefined: refresh tokens are not handed out at all. */
  readonly refreshableAccessTokenMs: number | undefined
  /** An access token of a client that cannot. */
  readonly nonrefreshableAccessTokenMs: number | undefined
  readonly refreshTokenMs: number | undefined
}

/** What people may change about themselves. */
export interface ProfileSettings {
  readonly maySetDisplayName: boolean
  readonly maySetAvatarUrl: boolean
}

/** What a room gets when its creator does not say. */
interface RoomSettings {
  readonly defaultVersion: string
}

/** Where media lie, and how big they may be. */
export interface MediaSettings {
  readonly storePath: string
  readonly maxUploadBytes: number
  readonly maxImagePixels: number
  /** Whether new media are served to authenticated clients only. */
  readonly requiresAuthentication: boolean
}

/** Whether this server tells who is online. */
export interface PresenceSettings {
  readonly isEnabled: boolean
}

/** `burstCount` at once, then `perSecond`. */
export interface RateLimit {
  readonly perSecond: number
  readonly burstCount: number
}

/**
 * What one other server may ask: `concurrent` requests at a time; from `sleepLimit` within `windowMs` on the next are held
 * up for `sleepDelayMs`; where `rejectLimit` wait, more are refused.
 */
export interface HostLimit {
  readonly windowMs: number
  readonly sleepLimit: number
  readonly sleepDelayMs: number
  readonly rejectLimit: number
  readonly concurrent: number
}

/** How often something may happen, each per the thing its name says. */
export interface RateLimits {
  /** Events, per sender. */
  readonly message: RateLimit
  /** New accounts, per address. */
  readonly registration: RateLimit
  readonly login: {
    /** Log-ins, per address. */
    readonly address: RateLimit
    /** Log-ins, per account. */
    readonly account: RateLimit
    /** Log-ins that failed, per account. */
    readonly failedAttempts: RateLimit
  }
  readonly joins: {
    /** Joins of rooms this server is in, per user. */
    readonly local: RateLimit
    /** Joins of rooms it is not in, per user. */
    readonly remote: RateLimit
  }
  readonly invites: {
    readonly perRoom: RateLimit
    /** Invites, per user invited. */
    readonly perUser: RateLimit
  }
  /** Bytes of other servers' media that are fetched, per user. */
  readonly remoteMedia: RateLimit
  /** Requests of other servers, per server. */
  readonly federation: HostLimit
  /** What somebody says of their presence, per user. */
  readonly presence: RateLimit
  /** Events that this server signs as a policy server, per sender. */
  readonly policySender: RateLimit
  /** Reports, per user. */
  readonly reports: RateLimit
  /** Searches of the user directory, per user. */
  readonly userDirectory: RateLimit
  /** Rooms created, upgrades among them, per user. */
  readonly roomCreation: RateLimit
  /** Profile lookups, per user, or per address without a token. */
  readonly profiles: RateLimit
  /** Searches of room directories, per user, or per address without a token. */
  readonly publicRooms: RateLimit
  /** Uploads of keys, per device. */
  readonly keyUploads: RateLimit
  /** Requests that send to-device messages, per device. */
  readonly toDevice: RateLimit
}

/** What `/.well-known/matrix` answers. */
interface WellKnownSettings {
  readonly servesServer: boolean
  readonly servesClient: boolean
  /** Members that the client document gets besides the server's own. */
  readonly extraClientContent: Readonly<Record<string, unknown>>
  /** The public keys of the policy server at this name, by algorithm; undefined: there is none. */
  readonly policyServerKeys: Readonly<Record<string, string>> | undefined
}

/** How many things are kept in memory. */
export interface CacheSettings {
  readonly events: number
}

/** Which other servers this one speaks with, and how their keys and its own are told. */
export interface FederationSettings {
  /** The only servers to speak with; undefined is all. */
  readonly allowedServers: readonly string[] | undefined
  /** Servers never to speak with. */
  readonly deniedServers: readonly string[]
  /** Who is asked for keys of servers that do not answer, in order. */
  readonly keyServers: readonly KeyServer[]
  /** Keys this server signed with in former times. */
  readonly oldSigningKeys: readonly OldSigningKey[]
  /** For how long from now our own key is said to be valid. */
  readonly keyRefreshMs: number
  /** How long a request may take where its caller does not say. */
  readonly requestTimeoutMs: number
  /** How long a server that does not answer is left alone: `firstMs`, then `factor` times as long each time, up to `longestMs`. */
  readonly retries: { readonly firstMs: number; readonly factor: number; readonly longestMs: number }
}

/** A server whose word about other servers' keys is taken. */
export interface KeyServer {
  readonly serverName: string
  /** Its own keys in Base64, by key ID; undefined: whatever it publishes. */
  readonly verifyKeys: Readonly<Record<string, string>> | undefined
}

/** A key that signed before a time, for who checks what is old. */
export interface OldSigningKey {
  readonly keyId: string
  /** Base64. */
  readonly publicKey: string
  readonly expiredTs: number
}
