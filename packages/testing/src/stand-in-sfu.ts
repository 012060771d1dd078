// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import { Readable } from 'node:stream'
import type { LivekitSettings } from '@myelin/kit/settings'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import type { IncomingReply, Transport } from '@myelin/remote/transport'

/** The API of a LiveKit SFU in this process, reached through a transport of its own. */
export interface StandInSfu {
  readonly settings: LivekitSettings
  readonly transport: Transport
  /** The rooms that were created, in order. */
  readonly rooms: string[]
  /** The participants that are connected. */
  readonly participants: Set<string>
  /** From here on it does not answer, or does again. */
  setDown(isDown: boolean): void
  /** Returns the claims of a token; throws where the signature is not that of the secret. */
  claimsOf(jwt: unknown): JsonObject
}

/** Starts an SFU without participants. */
export function standInSfu(): StandInSfu {
  const settings = { url: 'wss://sfu.test', apiUrl: 'https://sfu.test', key: 'key', secret: 'a secret of the SFU' }
  const rooms: string[] = []
  const participants = new Set<string>()
  let isDown = false
  const claimsOf = (jwt: unknown): JsonObject => {
    const [header = '', claims = '', signature] = String(jwt).split('.')
    const expected = createHmac('sha256', settings.secret).update(`${header}.${claims}`).digest('base64url')
    if (signature !== expected) throw new Error('the token is not signed with the secret of the SFU')
    return JSON.parse(Buffer.from(claims, 'base64url').toString()) as JsonObject
  }
  const fetchPage: Transport['fetchPage'] = async (url, { headers = {}, body = '{}', isTrusted }) => {
    if (isDown || isTrusted !== true || url.host !== 'sfu.test') throw new RemoteError('unreachable', 'no SFU')
    const { video } = claimsOf(headers['authorization']?.replace('Bearer ', '')) as { video: JsonObject }
    const asked = JSON.parse(body) as Record<string, string>
    const method = url.pathname.split('/').at(-1)
    if (method === 'CreateRoom' && video['roomCreate'] === true) {
      rooms.push(asked['name'] ?? '')
      return reply(200)
    }
    if (method !== 'GetParticipant' || video['roomAdmin'] !== true || video['room'] !== asked['room']) return reply(401)
    return reply(participants.has(asked['identity'] ?? '') ? 200 : 404)
  }
  const send: Transport['send'] = ({ destination }) =>
    Promise.reject(new RemoteError('unreachable', `no way leads to ${destination}`))
  return {
    settings,
    transport: { send, fetchPage, close: async () => {} },
    rooms,
    participants,
    setDown: (now) => {
      isDown = now
    },
    claimsOf,
  }
}

function reply(status: number): IncomingReply {
  return { status, headers: {}, body: Readable.from([Buffer.from('{}')]) }
}
