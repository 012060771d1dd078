// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import { buildApp } from '@myelin/http/app/app'
import { endpointsOf } from '@myelin/http/app/endpoints'
import { prepareAppServices } from '@myelin/services/accounts/app-service-users'
import type { Workers } from '@myelin/services/workers'
import { startWorkers } from '@myelin/services/workers'
import type { ServiceConfig } from '@myelin/kit/settings'
import type { ServerName } from '@myelin/matrix/ids'
import type { IncomingReply, OutgoingRequest } from '@myelin/remote/transport'
import { closeAtEnd } from './close-at-end.ts'
import type { OpenDatabase } from './databases.ts'
import { onReplyMismatch } from './reply-mismatch.ts'
import { testRuntime } from './runtime.ts'
import type { SharedParts, TestRuntime } from './runtime.ts'

/** A response. */
export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Readonly<Record<string, unknown>>
}

/** A server in this process, called without a socket. */
export interface TestServer {
  readonly rt: TestRuntime
  /** The background workers. */
  readonly workers: Workers
  readonly name: ServerName
  /** Calls an endpoint; text and bytes are sent as they are, anything else as JSON. */
  call(
    method: string,
    path: string,
    options?: { token?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>
  /** Answers a request that another server sent, with its headers as they are. */
  receive(request: Omit<OutgoingRequest, 'destination' | 'timeoutMs'>): Promise<IncomingReply>
  /** Registers a user and answers their token. */
  register(username: string): Promise<{ readonly userId: string; readonly deviceId: string; readonly token: string }>
  close(): Promise<void>
}

/** Starts a server with all endpoints. */
export async function testServer(
  open?: OpenDatabase,
  config: Partial<ServiceConfig> = {},
  shared: SharedParts = {},
): Promise<TestServer> {
  const rt = await testRuntime(open, config, shared)
  await prepareAppServices(rt)
  const workers = startWorkers(rt)
  const app = buildApp(rt, endpointsOf(['client', 'federation']), {
    isForwarded: false,
    maxBodyBytes: 1_000_000,
    onReplyMismatch,
  })
  const call: TestServer['call'] = async (method, path, { token, body, headers = {} } = {}) => {
    const reply = await app.inject({
      method: method as 'GET',
      url: path,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined
        ? {}
        : { payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
    })
    const isJson = String(reply.headers['content-type']).startsWith('application/json')
    return {
      status: reply.statusCode,
      body: isJson ? (reply.json() as Record<string, unknown>) : {},
      headers: reply.headers,
    }
  }
  return {
    rt,
    workers,
    name: rt.serverName,
    call,
    receive: async ({ method, target, headers, body }) => {
      const reply = await app.inject({ method, url: target, headers, ...(body === undefined ? {} : { payload: body }) })
      const shown = Object.entries(reply.headers).map(([name, value]) => [name, String(value)])
      return {
        status: reply.statusCode,
        headers: Object.fromEntries(shown) as Record<string, string>,
        body: Readable.from(reply.rawPayload.length > 0 ? [reply.rawPayload] : []),
      }
    },
    register: async (username) => {
      const { status, body } = await call('POST', '/_matrix/client/v3/register', {
        body: { username, password: 'correct horse', auth: { type: 'm.login.dummy' } },
      })
      if (status !== 200) throw new Error(`registering ${username} failed: ${JSON.stringify(body)}`)
      return {
        userId: String(body['user_id']),
        deviceId: String(body['device_id']),
        token: String(body['access_token']),
      }
    },
    close: closeAtEnd(async () => {
      await app.close()
      await workers.close()
      await rt.close()
    }),
  }
}
