// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@myelin/testing/clients/room-client'
import { freePort } from '@myelin/testing/processes/free-port'

/** A LiveKit SFU of its own process on loopback. */
export interface Sfu {
  /** The URL for clients. */
  readonly url: string
  /** The URL of its API. */
  readonly apiUrl: string
  readonly key: string
  readonly secret: string
  /** Returns a token that the SFU accepts, with these rights; the script uses it to look at the SFU from outside. */
  token(identity: string, video: object): string
  /** Calls a method of its RoomService as an admin of `room`. */
  ask(method: string, room: string, body: object): Promise<{ readonly status: number; readonly body: string }>
  stop(): Promise<void>
}

/** Starts an SFU that creates no rooms for clients, with its log and configuration in `folder`. */
export async function startSfu(program: string, folder: string): Promise<Sfu> {
  const [port, tcpPort, udpPort] = [await freePort(), await freePort(), await freePort()]
  const [key, secret] = ['myelin', randomBytes(32).toString('hex')]
  const config = {
    port,
    bind_addresses: ['127.0.0.1'],
    rtc: {
      tcp_port: tcpPort,
      udp_port: udpPort,
      use_external_ip: false,
      node_ip: '127.0.0.1',
      enable_loopback_candidate: true,
    },
    keys: { [key]: secret },
    room: { auto_create: false },
    logging: { level: 'info' },
  }
  // JSON is YAML.
  writeFileSync(join(folder, 'livekit.yaml'), JSON.stringify(config))
  const log = openSync(join(folder, 'livekit.log'), 'a')
  const child = spawn(program, ['--config', join(folder, 'livekit.yaml')], { stdio: ['ignore', log, log] })
  process.once('exit', () => child.kill('SIGKILL'))
  const apiUrl = `http://127.0.0.1:${port}`
  await until('the start of the SFU', async () => (await fetch(apiUrl).catch(() => undefined))?.ok)
  const token = (identity: string, video: object) => signed({ iss: key, sub: identity, video }, secret)
  return {
    url: `ws://127.0.0.1:${port}`,
    apiUrl,
    key,
    secret,
    token,
    ask: async (method, room, body) => {
      const answer = await fetch(`${apiUrl}/twirp/livekit.RoomService/${method}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${token('', { roomAdmin: true, roomList: true, room })}`,
        },
        body: JSON.stringify(body),
      })
      return { status: answer.status, body: await answer.text() }
    },
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
    },
  }
}

function signed(claims: object, secret: string): string {
  const seconds = Math.floor(Date.now() / 1000)
  const parts = [
    { alg: 'HS256', typ: 'JWT' },
    { ...claims, nbf: seconds - 5, exp: seconds + 600 },
  ]
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}
