// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '@myelin/kit/random'
import { generateSigningKey, printSigningKey } from '@myelin/matrix/signatures'
import type { Answer } from '../server.ts'

const bin = fileURLToPath(new URL('../../../server/src/cli/bin.js', import.meta.url))

/** A folder with the configuration of a server that listens on a free port; `settings` are further lines of YAML. */
export interface ServerFolder {
  readonly folder: string
  readonly configFile: string
  /** Writes the configuration anew. */
  configure(settings: string): void
  remove(): void
}

/** Makes the folder of a server that is called `example.org`. */
export function serverFolder(settings = ''): ServerFolder {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-server-'))
  const configFile = join(folder, 'homeserver.yaml')
  const random = seededRandom('spawned')
  const key = generateSigningKey('a_test', (size) => random.bytes(size))
  writeFileSync(join(folder, 'example.org.signing.key'), printSigningKey(key), { mode: 0o600 })
  const configure = (further: string) => {
    const has = (name: string) => new RegExp(`^${name}:`, 'm').test(further)
    const lines = [
      ...(has('server_name') ? [] : ['server_name: example.org']),
      ...(has('signing_key_path') ? [] : [`signing_key_path: ${join(folder, 'example.org.signing.key')}`]),
      ...(has('database') ? [] : [`database: ${join(folder, 'homeserver.db')}`]),
      ...(has('media_store_path') ? [] : [`media_store_path: ${join(folder, 'media')}`]),
      ...(has('listeners') ? [] : ['listeners: [{port: 0, bind_addresses: [127.0.0.1]}]']),
      'enable_registration: true',
      'enable_registration_without_verification: true',
      'log_format: json',
      further,
    ]
    writeFileSync(configFile, lines.join('\n'))
  }
  configure(settings)
  return { folder, configFile, configure, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A line of a server's log. */
type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string }

/** A server in a process of its own. */
export interface SpawnedServer {
  readonly process: ChildProcess
  readonly pid: number
  readonly url: string
  call(method: string, path: string, options?: { token?: string; body?: unknown }): Promise<Answer>
  /** Returns the next line of the log that a message matches, from the last one that was returned on. */
  logged(message: RegExp): Promise<LogLine>
  /** Stops it with SIGTERM and returns its exit code. */
  stop(): Promise<number | null>
}

/** Starts a server. Resolves when it listens; rejects with its output if it exits before. */
export async function spawnServer(configFile: string): Promise<SpawnedServer> {
  const child = spawn(process.execPath, [bin, 'start', '-c', configFile], { stdio: ['ignore', 'pipe', 'pipe'] })
  // A test that fails must not leave it behind.
  process.once('exit', () => child.kill('SIGKILL'))
  child.unref()
  const errors: string[] = []
  child.stderr.on('data', (bytes: Buffer) => errors.push(String(bytes)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const logged = async (message: RegExp): Promise<LogLine> => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`the server ended: ${errors.join('')}`)
      const line = JSON.parse(value) as LogLine
      if (message.test(line.msg)) return line
    }
  }
  const { urls } = (await logged(/^listening$/)) as unknown as { urls: readonly string[] }
  const url = urls[0] ?? ''
  return {
    process: child,
    pid: child.pid ?? 0,
    url,
    logged,
    call: (method, path, options) => callOver(`${url}${path}`, method, options),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      child.ref()
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
      return child.exitCode
    },
  }
}

/** Sends a request over HTTP; a body that is bytes goes as it is, anything else as JSON. */
async function callOver(
  url: string,
  method: string,
  { token, body }: { readonly token?: string; readonly body?: unknown } = {},
): Promise<Answer> {
  const isBytes = body instanceof Uint8Array
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' }),
    },
    ...(body === undefined ? {} : { body: isBytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return {
    status: response.status,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text },
    headers: Object.fromEntries(response.headers),
  }
}
