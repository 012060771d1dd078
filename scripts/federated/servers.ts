// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateSigningKey, printSigningKey } from '@myelin/matrix/signatures'
import { testAuthority } from '@myelin/testing/certificates'
import { until } from '@myelin/testing/clients/room-client'
import { Gate } from './gate.ts'
import { freePort } from '@myelin/testing/processes/free-port'

/** A homeserver of its own process, called `localhost` and the port of its federation. */
export interface HomeServer {
  readonly label: string
  readonly name: string
  /** The client URL. */
  readonly url: string
  /** Stops it in order. */
  stop(): Promise<void>
  /** Starts it again over the same database. */
  start(): Promise<void>
}

/** A server and the way other servers take to it. */
export interface Gated {
  readonly server: HomeServer
  readonly gate: Gate
}

/** The federation port, and the port on which the server listens; the same without a gate. */
type Ports = { readonly outside: number; readonly inside: number }

/** A folder with a certificate authority, for servers of one machine that trust each other; gone when it closes. */
export class Playground {
  readonly folder: string
  readonly #servers: HomeServer[] = []
  readonly #gates: Gate[] = []

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'myelin-federated-'))
    const authority = testAuthority('Myelin playground')
    const certified = authority.issue(['localhost'])
    writeFileSync(join(this.folder, 'authority.pem'), authority.cert)
    writeFileSync(join(this.folder, 'tls.pem'), certified.cert)
    writeFileSync(join(this.folder, 'tls.key'), certified.key)
  }

  /** Starts a Myelin over SQLite, or over the PostgreSQL at `database`, to which other servers come through a gate. */
  async gated(label: string, database?: string): Promise<Gated> {
    return this.#behindGate((ports) => this.#startMyelin(label, ports, { database }))
  }

  /** Starts a Myelin over SQLite, with further settings. */
  async myelin(label: string, settings: Readonly<Record<string, unknown>> = {}): Promise<HomeServer> {
    const port = await freePort()
    return this.#startMyelin(label, { outside: port, inside: port }, { settings })
  }

  /** Starts a Synapse over SQLite with a Python that has `matrix-synapse`; other servers come to it through a gate. */
  async gatedSynapse(label: string, python: string): Promise<Gated> {
    return this.#behindGate((ports) => this.#startSynapse(label, ports, python))
  }

  async #behindGate(start: (ports: Ports) => Promise<HomeServer>): Promise<Gated> {
    const ports = { outside: await freePort(), inside: await freePort() }
    const gate = await Gate.open(ports.outside, ports.inside)
    this.#gates.push(gate)
    return { server: await start(ports), gate }
  }

  async #startMyelin(
    label: string,
    { outside, inside }: Ports,
    {
      database,
      settings,
    }: { readonly database?: string | undefined; readonly settings?: Readonly<Record<string, unknown>> },
  ): Promise<HomeServer> {
    const client = await freePort()
    const file = { name: 'sqlite3', args: { database: join(this.folder, `${label}.db`) } }
    const config = {
      ...this.#common(label, client, outside),
      ...settings,
      database: database ?? file,
      listeners: [
        { port: client, bind_addresses: ['127.0.0.1'], type: 'http', resources: [{ names: ['client'] }] },
        {
          port: inside,
          bind_addresses: ['127.0.0.1'],
          type: 'http',
          tls: true,
          resources: [{ names: ['federation'] }],
        },
      ],
    }
    const main = join(import.meta.dirname, '../../packages/server/src/cli/bin.js')
    return this.#run(label, config, [process.execPath, main, 'start', '--config'])
  }

  async #startSynapse(label: string, { outside, inside }: Ports, python: string): Promise<HomeServer> {
    const client = await freePort()
    const listener = { bind_addresses: ['127.0.0.1'], type: 'http' }
    const config = {
      ...this.#common(label, client, outside),
      rc_joins_per_room: UNLIMITED,
      room_list_publication_rules: [{ action: 'allow' }],
      report_stats: false,
      macaroon_secret_key: 'macaroon',
      form_secret: 'form',
      suppress_key_server_warning: true,
      database: { name: 'sqlite3', args: { database: join(this.folder, `${label}.db`) } },
      pid_file: join(this.folder, `${label}.pid`),
      url_preview_enabled: false,
      listeners: [
        { ...listener, port: client, resources: [{ names: ['client'] }] },
        { ...listener, port: inside, tls: true, resources: [{ names: ['federation'] }] },
      ],
    }
    return this.#run(label, config, [python, '-m', 'synapse.app.homeserver', '-c'])
  }

  /** Stops the servers, and deletes their folders unless these are to be kept. */
  async close(keeps = false): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()))
    await Promise.all(this.#gates.map((gate) => gate.close()))
    if (!keeps) rmSync(this.folder, { recursive: true, force: true })
  }

  #common(label: string, client: number, federation: number): Readonly<Record<string, unknown>> {
    writeFileSync(join(this.folder, `${label}.signing.key`), printSigningKey(generateSigningKey(label)))
    return {
      server_name: `localhost:${federation}`,
      public_baseurl: `http://127.0.0.1:${client}/`,
      signing_key_path: join(this.folder, `${label}.signing.key`),
      media_store_path: join(this.folder, `${label}-media`),
      enable_registration: true,
      allow_public_rooms_over_federation: true,
      enable_registration_without_verification: true,
      trusted_key_servers: [],
      federation_custom_ca_list: [join(this.folder, 'authority.pem')],
      ip_range_whitelist: ['127.0.0.1', '::1'],
      // The proxy of this machine does not apply to loopback.
      no_proxy_hosts: ['localhost', '127.0.0.1'],
      tls_certificate_path: join(this.folder, 'tls.pem'),
      tls_private_key_path: join(this.folder, 'tls.key'),
      // Short back-offs, so that scenarios do not wait.
      federation: { destination_min_retry_interval: '1s', destination_max_retry_interval: '2s' },
      // The rate limits are lifted.
      rc_registration: UNLIMITED,
      rc_presence: { per_user: UNLIMITED },
      rc_message: UNLIMITED,
      rc_joins: { local: UNLIMITED, remote: UNLIMITED },
      rc_invites: { per_room: UNLIMITED, per_user: UNLIMITED },
      rc_room_creation: UNLIMITED,
      rc_reports: UNLIMITED,
      rc_user_directory: UNLIMITED,
      rc_profile: UNLIMITED,
    }
  }

  async #run(
    label: string,
    config: Readonly<Record<string, unknown>> & { readonly listeners: readonly { readonly port: number }[] },
    commandLine: readonly string[],
  ): Promise<HomeServer> {
    const file = join(this.folder, `${label}.yaml`)
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(config, undefined, 2))
    const log = openSync(join(this.folder, `${label}.log`), 'a')
    const url = `http://127.0.0.1:${config.listeners[0]?.port}`
    let child: ChildProcess | undefined
    const [command = '', ...args] = commandLine
    const server: HomeServer = {
      label,
      name: String(config['server_name']),
      url,
      start: async () => {
        const started = spawn(command, [...args, file], { stdio: ['ignore', log, log], cwd: this.folder })
        child = started
        await until(`the start of ${label}`, async () => {
          if (started.exitCode !== null)
            throw new Error(`${label} did not start:\n${readFileSync(join(this.folder, `${label}.log`), 'utf8')}`)
          return (await fetch(`${url}/_matrix/client/versions`).catch(() => undefined))?.ok
        })
      },
      stop: async () => {
        const running = child
        if (!running || running.exitCode !== null) return
        const gone = new Promise((resolve) => running.once('exit', resolve))
        running.kill('SIGTERM')
        await gone
      },
    }
    this.#servers.push(server)
    await server.start()
    return server
  }
}

const UNLIMITED = { per_second: 10_000, burst_count: 10_000 }
