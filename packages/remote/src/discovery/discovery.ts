// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net'
import { Cache } from '@myelin/kit/cache'
import type { Clock } from '@myelin/kit/clock'
import type { Random } from '@myelin/kit/random'
import { hostnameOf, type ServerName } from '@myelin/matrix/ids'
import { RemoteError } from '../remote-error.ts'
import type { Names, ServiceRecord } from '../sockets/names.ts'
import type { WellKnown } from './well-known.ts'

/** The route to a server: the places to try in order, the `Host` header, and the name on its certificate. */
export interface Route {
  readonly places: readonly { readonly host: string; readonly port: number }[]
  /** The `Host` header. */
  readonly hostHeader: string
  /** Never the target of an SRV record, because DNS alone proves nothing. */
  readonly certificateName: string
}

const DEFAULT_PORT = 8448
const SERVICES = ['_matrix-fed', '_matrix']
/** The most places of one service that are tried. */
const MAX_PLACES = 8
/** The lifetime of a cached DNS answer; Node does not return its TTL. */
const REMEMBERED_MS = 5 * 60_000

/**
 * Resolves server names.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names
 */
export class Discovery {
  readonly #names: Pick<Names, 'servicesOf'>
  readonly #wellKnown: Pick<WellKnown, 'delegateOf'>
  readonly #random: Random
  readonly #clock: Pick<Clock, 'now'>
  readonly #services = new Cache<string, { readonly records: readonly ServiceRecord[]; readonly until: number }>(20_000)

  constructor(parts: {
    readonly names: Pick<Names, 'servicesOf'>
    readonly wellKnown: Pick<WellKnown, 'delegateOf'>
    readonly random: Random
    readonly clock: Pick<Clock, 'now'>
  }) {
    this.#names = parts.names
    this.#wellKnown = parts.wellKnown
    this.#random = parts.random
    this.#clock = parts.clock
  }

  /** Returns the route to a server; throws a `RemoteError` where it has none. */
  async routeTo(server: ServerName): Promise<Route> {
    const direct = directRoute(server)
    if (direct) return direct
    const name = (await this.#wellKnown.delegateOf(server)) ?? server
    return directRoute(name) ?? this.#routeBySrv(name)
  }

  async #routeBySrv(name: ServerName): Promise<Route> {
    for (const service of SERVICES) {
      const records = await this.#servicesOf(`${service}._tcp.${name}`)
      if (records.length === 0) continue
      const places = this.#ordered(records).filter((record) => record.name !== '' && record.name !== '.')
      // A record without a target means that there is no such service: RFC 2782.
      if (places.length === 0) throw new RemoteError('unreachable', `the SRV record of ${name} denies the service`)
      const tried = places.slice(0, MAX_PLACES).map(({ name: host, port }) => ({ host, port }))
      return { places: tried, hostHeader: name, certificateName: name }
    }
    return { places: [{ host: name, port: DEFAULT_PORT }], hostHeader: name, certificateName: name }
  }

  async #servicesOf(name: string): Promise<readonly ServiceRecord[]> {
    const known = this.#services.get(name)
    if (known && known.until > this.#clock.now()) return known.records
    const records = await this.#names.servicesOf(name)
    this.#services.set(name, { records, until: this.#clock.now() + REMEMBERED_MS })
    return records
  }

  /** Returns records by ascending priority; equal ones in random order by weight. */
  #ordered(records: readonly ServiceRecord[]): ServiceRecord[] {
    const drawn = records.map((record) => {
      const chance = (Buffer.from(this.#random.bytes(4)).readUInt32BE(0) + 1) / 2 ** 32
      return { record, turn: -Math.log(chance) / Math.max(record.weight, 0.01) }
    })
    drawn.sort((a, b) => a.record.priority - b.record.priority || a.turn - b.turn)
    return drawn.map(({ record }) => record)
  }
}

/** Returns the route of an IP address or a name with a port, which need no lookup. */
function directRoute(name: ServerName): Route | undefined {
  const hostname = hostnameOf(name)
  const host = hostname.replace(/^\[|\]$/g, '')
  const port = name === hostname ? undefined : Number(name.slice(hostname.length + 1))
  if (port !== undefined && (port < 1 || port > 65_535))
    throw new RemoteError('malformed', `the port of ${name} is out of range`)
  if (isIP(host) === 0 && port === undefined) return undefined
  return { places: [{ host, port: port ?? DEFAULT_PORT }], hostHeader: name, certificateName: host }
}
