// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { testAuthority } from '@myelin/testing/certificates'
import { serverFolder, spawnServer } from '@myelin/testing/outages/spawned-server'

/** Returns the serial number of the certificate that a server shows. */
function serialAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

/** Tries to log in as nobody, and returns the status of the reply. */
function statusOfLogin(port: number): Promise<number> {
  const body = '{"type":"m.login.password","identifier":{"type":"m.id.user","user":"nobody"},"password":"x"}'
  const head = `POST /_matrix/client/v3/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}`
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.on('error', reject)
    // `HTTP/1.1 429 …`
    socket.once('data', (reply: Buffer) => {
      resolve(Number(reply.toString().split(' ', 2)[1]))
      socket.destroy()
    })
    socket.once('secureConnect', () => socket.write(`${head}\r\n\r\n${body}`))
  })
}

test('SIGHUP takes up certificates, rate limits and the log level, keeps what is bad as it was, and never ends the server', {
  timeout: 60_000,
}, async () => {
  const authority = testAuthority()
  const place = serverFolder()
  const settings = (level: string) => `log_level: ${level}
tls_certificate_path: ${join(place.folder, 'tls.crt')}
tls_private_key_path: ${join(place.folder, 'tls.key')}
listeners: [{port: 0, bind_addresses: [127.0.0.1], tls: true}]`
  const issue = () => {
    const { cert, key } = authority.issue(['localhost'])
    writeFileSync(join(place.folder, 'tls.crt'), cert)
    writeFileSync(join(place.folder, 'tls.key'), key)
  }
  issue()
  place.configure(settings('info'))
  const server = await spawnServer(place.configFile)
  const port = Number(new URL(server.url).port)
  const first = await serialAt(port)

  issue()
  const logins = async () => {
    const statuses: number[] = []
    for (let count = 0; count < 3; count++) statuses.push(await statusOfLogin(port))
    return statuses
  }
  assert.deepEqual(await logins(), [403, 403, 403])
  place.configure(`${settings('info')}\nenable_metrics: true\nrc_login: {address: {per_second: 0.001, burst_count: 1}}`)
  server.process.kill('SIGHUP')
  await server.logged(/^configuration reloaded$/)
  assert.deepEqual((await server.logged(/need a restart/))['settings'], ['metrics'])
  const second = await serialAt(port)
  assert.notEqual(second, first)
  assert.deepEqual(await logins(), [403, 429, 429])

  writeFileSync(join(place.folder, 'tls.key'), 'no key')
  server.process.kill('SIGHUP')
  assert.match(String((await server.logged(/was not reloaded/))['faults']), /tls_private_key_path/)
  place.configure(`${settings('info')}\nmax_upload_size: big`)
  server.process.kill('SIGHUP')
  assert.match(String((await server.logged(/was not reloaded/))['faults']), /max_upload_size must be a size/)
  assert.equal(await serialAt(port), second)
  assert.equal(await server.stop(), 0)
  place.remove()
})
