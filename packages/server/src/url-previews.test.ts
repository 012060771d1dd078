// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { seededRandom } from '@myelin/kit/random'
import type { UserId } from '@myelin/matrix/ids'
import { previewUrl } from '@myelin/services/media/previews/preview-url'
import { freePort } from '@myelin/testing/processes/free-port'
import { page, servePages } from '@myelin/testing/stages/preview-stage'
import { compose, type RunningServer } from './compose.ts'
import { loadConfig } from './config/load.ts'
import { writeSigningKey } from './config/values/signing-key.ts'

const alice = '@alice:one.test' as UserId

describe('a server started with url_preview_enabled', () => {
  let folder: string
  let web: Awaited<ReturnType<typeof servePages>>
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'myelin-previews-'))
    writeSigningKey(join(folder, 'key'), seededRandom('key'))
    web = await servePages({ '/a': page('<title>A</title>'), '/b': page('<title>Loopback</title>') })
  })
  after(() => rm(folder, { recursive: true }))

  /** Starts the server on the same database and media store. */
  async function start(settings: string): Promise<RunningServer> {
    const at = (name: string): string => JSON.stringify(join(folder, name))
    const config = `server_name: one.test
signing_key_path: ${at('key')}
database: { name: sqlite3, args: { database: ${at('homeserver.db')} } }
media_store_path: ${at('media')}
log_level: error
trusted_key_servers: []
listeners: [{ port: ${await freePort()}, bind_addresses: ['127.0.0.1'], resources: [{ names: [client] }] }]
url_preview_enabled: true
url_preview_ip_range_blacklist: ['127.0.0.0/8']
${settings}
`
    await writeFile(join(folder, 'homeserver.yaml'), config)
    return compose(loadConfig([join(folder, 'homeserver.yaml')], {}))
  }
  const preview = ({ rt }: RunningServer, path: string) => previewUrl(rt, alice, `http://127.0.0.1:${web.port}${path}`)

  test('fetches from the addresses of its own list, and has the previews after a restart', async () => {
    // The list of federation does not matter.
    const closed = await start('ip_range_blacklist: []')
    await assert.rejects(preview(closed, '/a'), { code: 'M_UNKNOWN', status: 502 })
    await closed.close()
    assert.deepEqual(web.requests, [])
    const open = await start("url_preview_ip_range_whitelist: ['127.0.0.1']")
    assert.equal(await preview(open, '/b'), '{"og:title":"Loopback"}')
    await open.close()
    const again = await start('')
    assert.equal(await preview(again, '/b'), '{"og:title":"Loopback"}')
    await again.close()
    assert.deepEqual(web.requests, ['127.0.0.1/b'])
  })
})
