// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { freePort } from '@myelin/testing/processes/free-port'
import { serverFolder, spawnServer } from '@myelin/testing/outages/spawned-server'
import type { ServerFolder, SpawnedServer } from '@myelin/testing/outages/spawned-server'
import { RequestLog } from './request-log.ts'

const NO_LIMIT = '{ per_second: 1000000, burst_count: 1000000 }'
/** The level of a line of the log that is an error. */
const ERROR_LEVEL = 50

/** A Myelin of its own process behind a {@link RequestLog}. */
export class OwnServer {
  /** The URL of the request log. */
  readonly url: string
  readonly log: RequestLog
  /** The errors that the server has logged. */
  readonly errors: string[] = []
  readonly #folder: ServerFolder
  readonly #database: string | undefined
  #server: SpawnedServer | undefined

  private constructor(url: string, log: RequestLog, folder: ServerFolder, database: string | undefined) {
    this.url = url
    this.log = log
    this.#folder = folder
    this.#database = database
  }

  /** Starts one over SQLite, or over the PostgreSQL database at this URL. */
  static async open(database?: string): Promise<OwnServer> {
    const [outside, inside] = [await freePort(), await freePort()]
    const url = `http://127.0.0.1:${outside}`
    const folder = serverFolder(
      [
        // The SDK looks for the well-known document at this name. It never lists a server with an IP address as `via`.
        `server_name: localhost:${outside}`,
        `public_baseurl: ${url}/`,
        `listeners: [{port: ${inside}, bind_addresses: [127.0.0.1]}]`,
        ...(database === undefined ? [] : [`database: ${JSON.stringify(database)}`]),
        'trusted_key_servers: []',
        ...[
          'rc_message',
          'rc_registration',
          'rc_room_creation',
          'rc_user_directory',
          'rc_profile',
          'rc_key_uploads',
        ].map((limit) => `${limit}: ${NO_LIMIT}`),
        `rc_login: { address: ${NO_LIMIT}, account: ${NO_LIMIT} }`,
        `rc_joins: { local: ${NO_LIMIT} }`,
        `rc_invites: { per_room: ${NO_LIMIT}, per_user: ${NO_LIMIT} }`,
      ].join('\n'),
    )
    const server = new OwnServer(url, await RequestLog.open(outside, inside), folder, database)
    await server.start()
    return server
  }

  /** Starts the process. */
  async start(): Promise<void> {
    const server = await spawnServer(this.#folder.configFile)
    this.#server = server
    void this.#follow(server)
  }

  /** Ends the process without warning. */
  async kill(): Promise<void> {
    const child = this.#server?.process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** Stops the process in order. */
  async stop(): Promise<void> {
    await this.#server?.stop()
  }

  /** Deletes the connections of sliding sync, while the process does not run: each `pos` is unknown then. */
  async forgetConnections(): Promise<void> {
    const orders = ['delete from sliding_connections', 'delete from sliding_steps']
    if (this.#database === undefined) {
      const file = new DatabaseSync(join(this.#folder.folder, 'homeserver.db'))
      for (const order of orders) file.exec(order)
      file.close()
      return
    }
    const { default: pg } = await import('pg')
    const client = new pg.Client({ connectionString: this.#database })
    await client.connect()
    for (const order of orders) await client.query(order)
    await client.end()
  }

  /** Stops the process and removes its folder. */
  async close(): Promise<void> {
    await this.stop()
    this.log.close()
    this.#folder.remove()
  }

  async #follow(server: SpawnedServer): Promise<void> {
    try {
      for (;;) {
        const line = await server.logged(/./)
        if (Number(line['level']) >= ERROR_LEVEL) this.errors.push(JSON.stringify(line))
      }
    } catch {
      // The process has ended.
    }
  }
}
