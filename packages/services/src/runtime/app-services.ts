// SPDX-License-Identifier: Apache-2.0
import type { AppServiceSettings, NamespaceSettings } from '@myelin/kit/settings/app-services'
import type { RoomAlias, RoomId, ServerName, UserId } from '@myelin/matrix/ids'

/**
 * An application service, with its namespaces compiled.
 *
 * @see https://spec.matrix.org/v1.19/application-service-api/#registration
 */
export class AppService {
  readonly settings: AppServiceSettings
  /** Its own user. */
  readonly sender: UserId
  readonly #users: Matcher
  readonly #aliases: Matcher
  readonly #rooms: Matcher

  constructor(settings: AppServiceSettings, serverName: ServerName) {
    this.settings = settings
    this.sender = `@${settings.senderLocalpart}:${serverName}` as UserId
    this.#users = new Matcher(settings.users)
    this.#aliases = new Matcher(settings.aliases)
    this.#rooms = new Matcher(settings.rooms)
  }

  /** Returns whether a user is the service's own or in its namespace. */
  hasUser(userId: string): boolean {
    return userId === this.sender || this.#users.matches(userId)
  }

  /** Returns whether nobody else may create a user. */
  reservesUser(userId: string): boolean {
    return userId === this.sender || this.#users.reserves(userId)
  }

  /** Returns whether an alias is in the namespace. */
  hasAlias(alias: RoomAlias): boolean {
    return this.#aliases.matches(alias)
  }

  /** Returns whether nobody else may create an alias. */
  reservesAlias(alias: RoomAlias): boolean {
    return this.#aliases.reserves(alias)
  }

  /** Returns whether a room ID is in the namespace. */
  hasRoom(roomId: RoomId): boolean {
    return this.#rooms.matches(roomId)
  }

  /** Returns whether no rate limit applies to one of its users. */
  isUnlimited(userId: string): boolean {
    return userId === this.sender || (!this.settings.isRateLimited && this.#users.matches(userId))
  }
}

/** The application services of a server. */
export class AppServices {
  readonly all: readonly AppService[]
  readonly #byToken: ReadonlyMap<string, AppService>

  constructor(settings: readonly AppServiceSettings[], serverName: ServerName) {
    this.all = settings.map((each) => new AppService(each, serverName))
    this.#byToken = new Map(this.all.map((service) => [service.settings.asToken, service]))
  }

  /** Returns the service with an `as_token`. */
  withToken(token: string): AppService | undefined {
    return this.#byToken.get(token)
  }

  /** Returns the service with an ID. */
  withId(id: string): AppService | undefined {
    return this.all.find(({ settings }) => settings.id === id)
  }

  /** Returns the services that bridge a third-party protocol. */
  withProtocol(protocol: string): readonly AppService[] {
    return this.all.filter(({ settings }) => settings.protocols.includes(protocol))
  }

  /** Returns whether a user is reserved for a service other than this one. */
  reservesUser(userId: string, except?: AppService): boolean {
    return this.all.some((service) => service !== except && service.reservesUser(userId))
  }

  /** Returns whether an alias is reserved for a service other than this one. */
  reservesAlias(alias: RoomAlias, except?: AppService): boolean {
    return this.all.some((service) => service !== except && service.reservesAlias(alias))
  }

  /** Returns whether no rate limit applies to a user of a service. */
  isUnlimited(userId: string): boolean {
    return this.all.some((service) => service.isUnlimited(userId))
  }
}

const made = new WeakMap<readonly AppServiceSettings[], AppServices>()

/** Returns the application services of a configuration, compiled once. */
export function appServices(config: {
  readonly appServices: readonly AppServiceSettings[]
  readonly serverName: string
}): AppServices {
  const known = made.get(config.appServices)
  if (known) return known
  const services = new AppServices(config.appServices, config.serverName as ServerName)
  made.set(config.appServices, services)
  return services
}

class Matcher {
  readonly #any: RegExp | undefined
  readonly #exclusive: RegExp | undefined

  constructor(namespaces: readonly NamespaceSettings[]) {
    this.#any = anyOf(namespaces)
    this.#exclusive = anyOf(namespaces.filter(({ isExclusive }) => isExclusive))
  }

  matches(id: string): boolean {
    return this.#any?.test(id) ?? false
  }

  reserves(id: string): boolean {
    return this.#exclusive?.test(id) ?? false
  }
}

/** Returns one expression for all patterns, which match from the beginning as in Synapse. */
function anyOf(namespaces: readonly NamespaceSettings[]): RegExp | undefined {
  if (namespaces.length === 0) return undefined
  return new RegExp(`^(?:${namespaces.map(({ pattern }) => `(?:${pattern})`).join('|')})`)
}
