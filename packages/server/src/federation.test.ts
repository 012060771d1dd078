// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { printSigningKey } from '@myelin/matrix/signatures'
import { RemoteError } from '@myelin/remote/remote-error'
import { authenticateServer } from '@myelin/services/peers/trust/authenticate-server'
import { testAuthority } from '@myelin/testing/certificates'
import { freePort } from '@myelin/testing/processes/free-port'
import { testSigningKey } from '@myelin/testing/runtime'
import { xMatrixHeader } from '@myelin/testing/fake-servers/x-matrix'
import { compose, type RunningServer } from './compose.ts'
import { loadConfig } from './config/load.ts'

const authority = testAuthority()
const folders: string[] = []

/** Starts a server on this machine from a configuration file, with a TLS certificate of its own. */
async function startServer(settings: string): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'myelin-federation-'))
  folders.push(folder)
  const port = await freePort()
  const { cert, key } = authority.issue(['localhost'])
  const files = {
    'tls.crt': cert,
    'tls.key': key,
    'ca.crt': authority.cert,
    'signing.key': printSigningKey(testSigningKey(folder)),
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const at = (name: string): string => JSON.stringify(join(folder, name))
  await writeFile(
    join(folder, 'homeserver.yaml'),
    `server_name: localhost:${port}
signing_key_path: ${at('signing.key')}
database: { name: sqlite3, args: { database: ${at('homeserver.db')} } }
media_store_path: ${at('media')}
log_level: error
trusted_key_servers: []
tls_certificate_path: ${at('tls.crt')}
tls_private_key_path: ${at('tls.key')}
listeners: [{ port: ${port}, bind_addresses: ['127.0.0.1'], tls: true, resources: [{ names: [federation] }] }]
federation_custom_ca_list: [${at('ca.crt')}]
${settings}
`,
  )
  return compose(loadConfig([join(folder, 'homeserver.yaml')], {}))
}

describe('servers started from configuration files', () => {
  let one: RunningServer
  let two: RunningServer
  let restricted: RunningServer
  before(async () => {
    one = await startServer(`ip_range_whitelist: ['127.0.0.1', '::1']`)
    two = await startServer(`ip_range_whitelist: ['127.0.0.1', '::1']`)
    restricted = await startServer('')
  })
  after(async () => {
    for (const each of [one, two, restricted]) await each.close()
    for (const folder of folders) await rm(folder, { recursive: true })
  })

  test('reach each other over TLS', async () => {
    const { server } = await one.rt.remote.call(two.rt.serverName, {
      method: 'GET',
      target: '/_matrix/federation/v1/version',
    })
    assert.equal((server as { name: string }).name, 'Myelin')
  })

  test('accept a request signed by another server after fetching its key', async () => {
    const request = { method: 'GET', uri: '/x', origin: one.rt.serverName, destination: two.rt.serverName }
    const header = xMatrixHeader(request, one.rt.signingKey)
    const signed = { method: 'GET', target: '/x', authorization: [header], body: undefined }
    assert.equal(await authenticateServer(two.rt, signed), one.rt.serverName)
  })

  test('do not connect to addresses of this machine without `ip_range_whitelist`', async () => {
    const asked = restricted.rt.remote.call(two.rt.serverName, {
      method: 'GET',
      target: '/_matrix/federation/v1/version',
    })
    await assert.rejects(asked, (error) => error instanceof RemoteError && /does not connect to/.test(error.message))
  })
})
