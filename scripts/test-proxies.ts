// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testAuthority } from '@myelin/testing/certificates'
import { serverFolder, spawnServer } from '@myelin/testing/outages/spawned-server'
import { freePort } from '@myelin/testing/processes/free-port'

const HOST = 'matrix.example.org'
const document = readFileSync(new URL('../docs/reverse-proxy.md', import.meta.url), 'utf8')

/** The places that a recipe is run with. */
interface Places {
  readonly folder: string
  readonly port: number
  readonly backend: string
}

interface Proxy {
  readonly program: string
  /** Returns the recipe of the document as a whole configuration. */
  readonly configOf: (places: Places) => string
  readonly check: (file: string) => readonly string[]
  readonly run: (file: string) => readonly string[]
}

/** Returns the first code block below a heading. */
function recipeUnder(heading: string): string {
  const recipe = new RegExp(`^## ${heading}\\n[^]*?\`\`\`\\w*\\n([^]*?)\`\`\``, 'm').exec(document)?.[1]
  if (recipe === undefined) throw new Error(`docs/reverse-proxy.md has no recipe under ${heading}`)
  return recipe
}

const nginx: Proxy = {
  program: 'nginx',
  configOf: ({ folder, port, backend }) => {
    const server = recipeUnder('nginx')
      .replaceAll(/listen (\[::\]:)?443/g, (_, six?: string) => `listen ${six ? '[::1]:' : ''}${port}`)
      .replaceAll(/\/etc\/letsencrypt\S*\/(\w+\.pem)/g, `${folder}/$1`)
      .replaceAll('127.0.0.1:8008', backend)
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const temporary = paths.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')
    // The workers must be able to write to the folder.
    const user = process.getuid?.() === 0 ? 'user root; ' : ''
    return `${user}daemon off; pid ${folder}/pid; error_log stderr; events {}\nhttp { access_log off; ${temporary}\n${server} }`
  },
  check: (file) => ['-t', '-c', file],
  run: (file) => ['-c', file],
}

const caddy: Proxy = {
  program: 'caddy',
  configOf: ({ folder, port, backend }) => {
    const site = recipeUnder('Caddy')
      .replace(`${HOST} {`, `https://${HOST}:${port} {\n    tls ${folder}/fullchain.pem ${folder}/privkey.pem`)
      .replaceAll('127.0.0.1:8008', backend)
    return `{\n    admin off\n    auto_https off\n}\n${site}`
  },
  check: (file) => ['validate', '--adapter', 'caddyfile', '--config', file],
  run: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
}

/** Returns whether a program is there; installs it with apt where that is possible. */
function isInstalled(program: string): boolean {
  const isThere = () => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
  if (isThere()) return true
  if (process.getuid?.() === 0) spawnSync('apt-get', ['install', '-y', '--no-install-recommends', program])
  return isThere()
}

/** Sends a request to the proxy with curl; returns the status and the body. */
function curl(port: number, path: string, ...options: readonly string[]): { status: number; body: string } {
  const always = ['-sk', '--resolve', `${HOST}:${port}:127.0.0.1`, '--max-time', '60']
  const format = ['--write-out', '\\n%{http_code}', `https://${HOST}:${port}${path}`]
  const { stdout, stderr } = spawnSync('curl', [...always, ...options, ...format], { encoding: 'utf8' })
  const at = stdout.lastIndexOf('\n')
  assert.notEqual(at, -1, `curl failed: ${stderr}`)
  return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) }
}

function json(token: string | undefined, method: string, body: unknown): string[] {
  const headers = ['-H', 'content-type: application/json', ...(token ? ['-H', `authorization: Bearer ${token}`] : [])]
  return ['-X', method, ...headers, ...(body === undefined ? [] : ['-d', JSON.stringify(body)])]
}

/** Sends what clients, servers and monitors send. */
function checkRequests(port: number, folder: string): void {
  const statusOf = (path: string, ...options: string[]) => curl(port, path, ...options).status
  assert.equal(statusOf('/health', '--retry-connrefused', '--retry', '5'), 200, '/health')
  assert.equal(statusOf('/'), 404, 'a path of nobody')
  assert.equal(statusOf('/_synapse/admin/v1/register'), 404, 'the admin API')
  assert.equal(statusOf('/_matrix/client/versions'), 200, 'the client API')
  assert.equal(statusOf('/_matrix/federation/v1/version'), 200, 'the federation API')
  assert.equal(statusOf('/_matrix/key/v2/server'), 200, 'the signing key')
  assert.match(curl(port, '/.well-known/matrix/client').body, /matrix\.example\.org/, 'the well-known document')
  const account = { username: 'alice', password: 'correct horse', auth: { type: 'm.login.dummy' } }
  const claim = ['-H', 'X-Forwarded-For: 203.0.113.7']
  const registered = curl(port, '/_matrix/client/v3/register', ...json(undefined, 'POST', account), ...claim)
  const token = String((JSON.parse(registered.body) as Record<string, unknown>)['access_token'])
  const authorized = ['-H', `authorization: Bearer ${token}`]
  curl(port, '/_matrix/client/v3/account/whoami', ...authorized, ...claim)
  const devices = curl(port, '/_matrix/client/v3/devices', ...authorized, ...claim).body
  assert.match(devices, /"last_seen_ip":"127\.0\.0\.1"/, 'the address of the client')
  const file = join(folder, 'upload')
  writeFileSync(file, Buffer.alloc(40 * 1024 * 1024, 'x'))
  const upload = ['-X', 'POST', '-H', 'content-type: application/octet-stream', '--data-binary', `@${file}`]
  assert.equal(statusOf('/_matrix/media/v3/upload', ...authorized, ...upload), 200, 'a large upload')
  const first = JSON.parse(curl(port, '/_matrix/client/v3/sync', ...authorized).body) as { next_batch: string }
  const wait = `/_matrix/client/v3/sync?timeout=3000&since=${first.next_batch}`
  assert.equal(statusOf(wait, ...authorized), 200, 'a long poll')
  const alias = '/_matrix/client/v3/directory/room/%23a%2Fb%3Aexample.org'
  assert.match(curl(port, alias).body, /M_NOT_FOUND/, 'an alias with an escaped slash')
}

async function tryProxy({ program, configOf, check, run }: Proxy): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `myelin-${program}-`))
  const { cert, key } = testAuthority().issue([HOST])
  writeFileSync(join(folder, 'fullchain.pem'), cert)
  writeFileSync(join(folder, 'privkey.pem'), key)
  const listeners = 'listeners: [{port: 0, bind_addresses: [127.0.0.1], x_forwarded: true}]'
  const place = serverFolder(`public_baseurl: https://${HOST}/\n${listeners}`)
  const server = await spawnServer(place.configFile)
  const port = await freePort()
  const file = join(folder, 'config')
  writeFileSync(file, configOf({ folder, port, backend: new URL(server.url).host }))
  const checked = spawnSync(program, check(file), { encoding: 'utf8' })
  assert.equal(checked.status, 0, checked.stderr)
  const proxy = spawn(program, run(file), { stdio: 'ignore' })
  try {
    checkRequests(port, folder)
    await server.stop()
    assert.equal(curl(port, '/health').status, 502, '/health of a server that is gone')
  } finally {
    const gone = once(proxy, 'exit')
    proxy.kill('SIGTERM')
    await gone
    await server.stop()
    place.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

for (const proxy of [nginx, caddy]) {
  if (!isInstalled(proxy.program)) {
    console.log(`${proxy.program}: not tested, because it is not installed`)
    continue
  }
  await tryProxy(proxy)
  console.log(`${proxy.program}: the recipe works`)
}
