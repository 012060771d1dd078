// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { printSigningKey, signBytes } from '@myelin/matrix/signatures'
import { requestForm } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { authenticateServer } from '@myelin/services/peers/trust/authenticate-server'
import { testAuthority } from '@myelin/testing/certificates'
import { freePort } from '@myelin/testing/processes/free-port'
import { testSigningKey } from '@myelin/testing/runtime'
import { compose, type RunningServer } from './compose.ts'
import { loadConfig } from './config/load.ts'

const authority = testAuthority()
const folders: string[] = []

/** A server as an admin would set it up, with TLS of its own, on this machine. */
async function house(settings: string): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'myelin-house-'))
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

describe('two servers as they are started', () => {
  let one: RunningServer
  let two: RunningServer
  let shy: RunningServer
  before(async () => {
    one = await house(`ip_range_whitelist: ['127.0.0.1', '::1']`)
    two = await house(`ip_range_whitelist: ['127.0.0.1', '::1']`)
    shy = await house('')
  })
  after(async () => {
    for (const each of [one, two, shy]) await each.close()
    for (const folder of folders) await rm(folder, { recursive: true })
  })

  test('speak with each other over TLS', async () => {
    const { server } = await one.rt.remote.call(two.rt.serverName, {
      method: 'GET',
      target: '/_matrix/federation/v1/version',
    })
    assert.equal((server as { name: string }).name, 'Myelin')
  })

  test('believe each other’s signatures after asking for the key', async () => {
    const request = {
      method: 'GET',
      uri: '/x',
      origin: one.rt.serverName,
      destination: two.rt.serverName,
      content: undefined,
    }
    const { id, ...key } = one.rt.signingKey
    const sig = signBytes(requestForm(request), { id, ...key })
    const header = `X-Matrix origin="${request.origin}",destination="${request.destination}",key="${id}",sig="${sig}"`
    const signed = { method: 'GET', target: '/x', authorization: [header], body: undefined }
    assert.equal(await authenticateServer(two.rt, signed), one.rt.serverName)
  })

  test('do not reach this machine where the admin did not allow it', async () => {
    const asked = shy.rt.remote.call(two.rt.serverName, { method: 'GET', target: '/_matrix/federation/v1/version' })
    await assert.rejects(asked, (error) => error instanceof RemoteError && /does not connect to/.test(error.message))
  })
})
