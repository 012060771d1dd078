// SPDX-License-Identifier: Apache-2.0
import { type buildConnector, Client, type Dispatcher, Pool } from 'undici'

/** The notes of a connection about the request that it carries. */
export interface Passage {
  /** The connection carried other requests before. */
  isReused: boolean
}

/** A placeholder: the connector has the place, and `Host` is always given. */
const ORIGIN = 'https://place.invalid'
const IDLE_MS = 30_000
const MAX_CONNECTIONS = 8
/** Timeouts are disabled: the caller's deadline on the clock of `kit` applies. */
const OPTIONS = {
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: IDLE_MS,
  keepAliveMaxTimeout: IDLE_MS,
  maxHeaderSize: 32 * 1024,
  allowH2: false,
} as const satisfies Client.Options

/** Returns a pool of at most eight connections to one place; each closes when it was idle for 30 s. */
export function poolTo(connect: buildConnector.connector): Pool {
  const factory = (origin: URL, options: object): Client => new Connection(origin, options)
  return new Pool(ORIGIN, { ...OPTIONS, connections: MAX_CONNECTIONS, connect, factory })
}

/** Returns a client whose connection serves one request. */
export function clientForOne(connect: buildConnector.connector): Client {
  return new Client(ORIGIN, { ...OPTIONS, pipelining: 0, connect })
}

/** One connection of a pool; requests bring a {@link Passage} as `opaque`. */
class Connection extends Client {
  #isUsed = false

  constructor(origin: URL, options: Client.Options) {
    super(origin, options)
    this.on('disconnect', () => (this.#isUsed = false))
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { opaque } = options as Dispatcher.RequestOptions<Passage>
    if (opaque) opaque.isReused = this.#isUsed
    this.#isUsed = true
    return super.dispatch(options, handler)
  }
}
