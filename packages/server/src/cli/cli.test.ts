// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { verify } from '@node-rs/argon2'
import { readSigningKeys } from '../config/values/signing-key.ts'
import { macOf } from './commands/shared-secret.ts'

const bin = fileURLToPath(new URL('bin.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'myelin-cli-'))
after(() => rmSync(folder, { recursive: true }))

interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs `myelin` in a folder of its own, with `input` on its standard input. */
async function myelin(args: readonly string[], input = ''): Promise<Outcome> {
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, stdio: 'pipe' })
  child.stdin.on('error', () => undefined).end(input)
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ])
  return { code, out, err }
}

describe('myelin', () => {
  test('says what it can do, and what each command takes', async () => {
    const { code, out } = await myelin(['--help'])
    assert.equal(code, 0)
    const names = ['generate-config', 'start', 'register-user', 'check-config', 'hash-password', 'generate-signing-key']
    for (const name of names) assert.match(out, new RegExp(`^  ${name} `, 'm'))
    const help = await myelin(['register-user', '--help'])
    for (const option of ['--config FILE', '-u, --user NAME', '-p, --password', '--no-admin']) {
      assert.ok(help.out.includes(option), `no ${option}`)
    }
  })

  test('guesses which command was meant, and refuses options it does not know', async () => {
    const wrong = await myelin(['registre-user'])
    assert.deepEqual(
      [wrong.code, wrong.err],
      [2, 'myelin: there is no command registre-user; did you mean register-user?\n'],
    )
    const stray = await myelin(['check-config', '--confg', 'a.yaml'])
    assert.equal(stray.code, 2)
    assert.match(stray.err, /--confg[^]*usage: myelin check-config/)
    assert.equal((await myelin(['check-config'])).code, 2)
  })
})

describe('generate-config', () => {
  test('writes a configuration that is in order, and never writes over one', async () => {
    const args = [
      'generate-config',
      '--server-name',
      'example.org',
      '--config',
      'new/homeserver.yaml',
      '--data-dir',
      'new',
    ]
    const made = await myelin(args)
    assert.deepEqual([made.code, made.err], [0, ''])
    readSigningKeys(join(folder, 'new/example.org.signing.key'))
    const checked = await myelin(['check-config', '-c', 'new/homeserver.yaml'])
    assert.deepEqual(checked, { code: 0, out: 'The configuration of example.org is in order.\n', err: '' })

    const written = readFileSync(join(folder, 'new/homeserver.yaml'), 'utf8')
    const again = await myelin(args)
    assert.equal(again.code, 1)
    assert.match(again.err, /is there already/)
    assert.equal(readFileSync(join(folder, 'new/homeserver.yaml'), 'utf8'), written)
  })

  test('makes another secret each time', async () => {
    for (const name of ['one', 'two']) {
      await myelin(['generate-config', '--server-name', name, '-c', `${name}.yaml`, '--data-dir', name])
    }
    const secrets = ['one', 'two'].map((name) => {
      return /^registration_shared_secret: (\w{64})$/m.exec(readFileSync(join(folder, `${name}.yaml`), 'utf8'))?.[1]
    })
    assert.ok(secrets[0] && secrets[1] && secrets[0] !== secrets[1])
  })
})

describe('a broken configuration', () => {
  test('is refused with every fault, by check-config and by start', async () => {
    writeFileSync(join(folder, 'broken.yaml'), 'server_nam: example.org\nmax_upload_size: big\n')
    for (const name of ['check-config', 'start']) {
      const { code, out, err } = await myelin([name, '-c', 'broken.yaml'])
      assert.deepEqual([code, out], [1, ''])
      assert.deepEqual(err.split('\n').sort(), [
        '',
        'broken.yaml: max_upload_size must be a size: a number, alone or with K, M, G or T, not "big"',
        'broken.yaml: server_nam is not a setting; did you mean server_name?',
        'broken.yaml: server_name is missing',
      ])
    }
  })
})

test('generate-signing-key writes a key once', async () => {
  assert.equal((await myelin(['generate-signing-key', '-o', 'lone.key'])).code, 0)
  const key = readSigningKeys(join(folder, 'lone.key'))
  assert.equal((await myelin(['generate-signing-key', '-o', 'lone.key'])).code, 1)
  assert.deepEqual(readSigningKeys(join(folder, 'lone.key')), key)
})

test('hash-password prints an Argon2id hash of what it is given', async () => {
  for (const [args, input] of [
    [['-p', 'sesame'], ''],
    [[], 'sesame\n'],
  ] as const) {
    const { out } = await myelin(['hash-password', ...args], input)
    assert.match(out, /^\$argon2id\$/)
    assert.ok(await verify(out.trim(), 'sesame'))
  }
})

describe('register-user', () => {
  const secret = 'hush'
  type Posted = Readonly<Record<string, unknown>>

  /** A server in another process: the test sees only its HTTP answers. */
  async function serve<T>(
    reply: (posted: Posted, response: ServerResponse) => void,
    work: (config: string) => Promise<T>,
  ): Promise<T> {
    const server = createServer((request, response) => void answer(request, response, reply))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      return await work(configFor((server.address() as AddressInfo).port))
    } finally {
      server.close()
    }
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    reply: (posted: Posted, response: ServerResponse) => void,
  ) {
    response.setHeader('content-type', 'application/json')
    if (request.url !== '/_synapse/admin/v1/register') return void response.writeHead(404).end('{}')
    if (request.method === 'GET') return void response.end('{"nonce":"abc"}')
    reply(JSON.parse(await text(request)) as Posted, response)
  }

  function configFor(port: number): string {
    const name = `port-${port}`
    writeFileSync(
      join(folder, `${name}.yaml`),
      `server_name: a.test\nsigning_key_path: ${name}.key\nregistration_shared_secret: ${secret}
listeners: [{port: ${port}, bind_addresses: ['127.0.0.1']}]\n`,
    )
    writeFileSync(join(folder, `${name}.key`), `ed25519 a_1 ${'A'.repeat(43)}\n`)
    return `${name}.yaml`
  }

  test('sends the account, signed with the secret, and never the secret', async () => {
    const posts: Posted[] = []
    const reply = (posted: Posted, response: ServerResponse): void => {
      posts.push(posted)
      response.end('{"user_id":"@alice:a.test"}')
    }
    await serve(reply, async (config) => {
      const admin = await myelin(['register-user', '-c', config, '-u', 'alice', '-p', 'sesame', '--admin'])
      assert.deepEqual(admin, { code: 0, out: 'Made the account @alice:a.test, an admin.\n', err: '' })
      const piped = await myelin(['register-user', '-c', config, '-u', 'alice', '--no-admin'], 'open sesame\n')
      assert.equal(piped.out, 'Made the account @alice:a.test.\n')
    })
    const of = (password: string, isAdmin: boolean) => ({
      nonce: 'abc',
      username: 'alice',
      password,
      admin: isAdmin,
      mac: macOf('abc', secret, { name: 'alice', password, isAdmin }),
    })
    assert.deepEqual(posts, [of('sesame', true), of('open sesame', false)])
  })

  test('passes on why the server refused', async () => {
    const reply = (_: Posted, response: ServerResponse): void => {
      response.writeHead(400).end('{"errcode":"M_USER_IN_USE","error":"that name is taken"}')
    }
    const { code, err } = await serve(reply, (config) =>
      myelin(['register-user', '-c', config, '-u', 'alice', '-p', 'x']),
    )
    assert.deepEqual([code, err], [1, 'the server refused: that name is taken\n'])
  })

  test('says so when no server runs', async () => {
    const config = await serve(
      () => undefined,
      async (path) => path,
    )
    const { code, err } = await myelin(['register-user', '-c', config, '-u', 'alice', '-p', 'x'])
    assert.equal(code, 1)
    assert.match(err, /^no server answers at http:\/\/127\.0\.0\.1:\d+; is the server running\?/)
  })
})

test('the signature of an account is the one Synapse’s documentation describes', () => {
  const account = { name: 'pepper_roni', password: 'pizza', isAdmin: true }
  // echo -en 'thisisanonce\0pepper_roni\0pizza\0admin' | openssl sha1 -hmac shared_secret
  assert.equal(macOf('thisisanonce', 'shared_secret', account), '48715842ad67d5dc9a9ee938a3bda4fcfae8d7c7')
})
