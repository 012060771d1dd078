// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { encodeBase64 } from '@myelin/matrix/base64'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import type { IncomingReply, PageOptions, Transport } from '@myelin/remote/transport'
import { testSigningKey } from './runtime.ts'

/** A request that an identity server got. */
interface GotRequest {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: JsonObject
}

/** An identity server in this process, reached through a transport of its own as `id.test`. */
export interface StandInIdentityServer {
  readonly transport: Transport
  readonly got: GotRequest[]
  /** The users by address and medium, as `address medium`. */
  readonly bindings: Map<string, string>
  /** Answers to paths instead of the usual ones. */
  readonly answers: Map<string, { readonly status: number; readonly body: JsonObject | string }>
}

/** The key with which the server signs, and its public part. */
export const identityKey = testSigningKey('id.test')
const PEPPER = 'a grain of pepper'

/** Starts an identity server that knows no user at first and keeps every invite under the token `token`. */
export function standInIdentityServer(): StandInIdentityServer {
  const got: GotRequest[] = []
  const bindings: StandInIdentityServer['bindings'] = new Map()
  const answers: StandInIdentityServer['answers'] = new Map()
  const usual = (path: string, body: JsonObject): JsonObject => {
    if (path === 'hash_details') return { algorithms: ['none', 'sha256'], lookup_pepper: PEPPER }
    if (path === 'store-invite') {
      const key = { public_key: encodeBase64(identityKey.publicKey), key_validity_url: 'https://id.test/isvalid' }
      return { token: 'token', display_name: 'b...@e...', public_keys: [key] }
    }
    const hashes = new Map([...bindings].map(([id, user]) => [hash('sha256', `${id} ${PEPPER}`, 'base64url'), user]))
    const asked = body['addresses'] as readonly string[]
    return {
      mappings: Object.fromEntries(
        asked.map((each) => [each, hashes.get(each) ?? '']).filter(([, user]) => user !== ''),
      ),
    }
  }
  const fetchPage = async (url: URL, { headers = {}, body = '{}' }: PageOptions): Promise<IncomingReply> => {
    if (url.host !== 'id.test') throw new RemoteError('unreachable', `${url.host} does not answer`)
    const path = url.pathname.replace('/_matrix/identity/v2/', '')
    const json = JSON.parse(body) as JsonObject
    got.push({ path, authorization: headers['authorization'], body: json })
    const { status, body: answer } = answers.get(path) ?? { status: 200, body: usual(path, json) }
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
    return { status, headers: {}, body: Readable.from([Buffer.from(text)]) }
  }
  const send: Transport['send'] = ({ destination }) =>
    Promise.reject(new RemoteError('unreachable', `no way leads to ${destination}`))
  return { transport: { send, fetchPage, close: async () => {} }, got, bindings, answers }
}
