// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import type { ServiceConfig } from '@myelin/kit/settings'
import type { AppServiceSettings } from '@myelin/kit/settings/app-services'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import type { PageOptions, Transport } from '@myelin/remote/transport'
import type { OpenDatabase } from '../databases.ts'
import { testServer } from '../server.ts'

/** A request that an application service got. */
interface GotRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly body: JsonObject
}

/** The answer of an application service; `down` refuses connections. */
type AppServiceReply = 'down' | { readonly status: number; readonly body?: JsonObject }

/** A bridge to IRC: it owns users and aliases that begin with `_irc_`. */
export const IRC: AppServiceSettings = {
  id: 'irc',
  url: 'http://irc.test:9999',
  asToken: 'as_token_of_irc',
  hsToken: 'hs_token_of_irc',
  senderLocalpart: 'ircbot',
  users: [{ pattern: '@_irc_.*:one\\.test', isExclusive: true }],
  aliases: [{ pattern: '#_irc_.*:one\\.test', isExclusive: true }],
  rooms: [],
  isRateLimited: false,
  protocols: ['irc'],
  ephemeralMembers: [],
  receivesDeviceLists: false,
}

/** An application service in this process, reached through a transport of its own. */
function standInAppService() {
  const got: GotRequest[] = []
  const taken: GotRequest[] = []
  let answering: (request: GotRequest) => AppServiceReply | Promise<AppServiceReply> = () => ({ status: 200 })
  const fetchPage = async (url: URL, { method = 'GET', headers, body = '{}' }: PageOptions) => {
    const request = {
      method,
      path: `${url.pathname}${url.search}`,
      authorization: headers?.['authorization'],
      body: JSON.parse(body) as JsonObject,
    }
    got.push(request)
    const answer = await answering(request)
    if (answer === 'down') throw new RemoteError('unreachable', `${url.host} does not answer`)
    if (answer.status === 200) taken.push(request)
    const text = JSON.stringify(answer.body ?? {})
    return { status: answer.status, headers: {}, body: Readable.from([Buffer.from(text)]) }
  }
  const transport: Transport = {
    send: ({ destination }) => Promise.reject(new RemoteError('unreachable', `no way leads to ${destination}`)),
    fetchPage,
    close: async () => {},
  }
  return {
    transport,
    got,
    taken,
    answer: (next: typeof answering) => {
      answering = next
    },
    /** Returns the events of all transactions that were taken. */
    events: () => taken.flatMap(({ body }) => (body['events'] ?? []) as JsonObject[]),
  }
}

/** Returns a server with the bridge, and alice. */
export async function appServiceStage(
  open: OpenDatabase,
  t: TestContext,
  { services = [IRC], ...config }: Partial<ServiceConfig> & { readonly services?: readonly AppServiceSettings[] } = {},
) {
  const irc = standInAppService()
  const server = await testServer(open, { ...config, appServices: services }, { transport: irc.transport })
  t.after(() => server.close())
  const raw = (method: string, path: string, token: string, body?: unknown) =>
    server.call(method, path, { token, ...(body === undefined ? {} : { body }) })
  const call = async (method: string, path: string, token: string, body?: unknown) => {
    const answer = await raw(method, path, token, body)
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const settled = async () => {
    for (const sender of server.workers.appServices) await sender.settled()
  }
  return { server, irc, alice: await server.register('alice'), raw, call, settled }
}
