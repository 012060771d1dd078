// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { ServiceConfig } from '@myelin/kit/settings'
import type { JsonObject } from '@myelin/matrix/json'
import type { OpenDatabase } from '../databases.ts'
import { standInGateway } from '../push-gateway.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'

/** The prefix of the client API. */
export const v3 = '/_matrix/client/v3'
/** The URL of a gateway. */
export const URL_OF_GATEWAY = 'https://push.test/_matrix/push/v1/notify'
/** A registered user. */
export type Person = Awaited<ReturnType<TestServer['register']>>

/** Returns a pusher as a client sets it. */
export const pusher = (fields: JsonObject = {}): JsonObject => ({
  app_id: 'test.app',
  pushkey: 'key',
  kind: 'http',
  app_display_name: 'App',
  device_display_name: 'Phone',
  lang: 'en',
  data: { url: URL_OF_GATEWAY, colour: 'blue' },
  ...fields,
})

/** Returns alice and bob in a room of two, and gateways. */
export async function pushStage(open: OpenDatabase, t: TestContext, config: Partial<ServiceConfig> = {}) {
  const gateway = standInGateway()
  const server = await testServer(open, config, { transport: gateway.transport })
  t.after(() => server.close())
  const [alice, bob] = [await server.register('alice'), await server.register('bob')]
  const raw = (method: string, path: string, { token }: Person, body?: unknown) =>
    server.call(method, `${v3}/${path}`, { token, ...(body === undefined ? {} : { body }) })
  const call = async (method: string, path: string, who: Person, body?: unknown) => {
    const answer = await raw(method, path, who, body)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body
  }
  const roomId = String((await call('POST', 'createRoom', alice, { preset: 'public_chat', name: 'Tea' }))['room_id'])
  const room = `rooms/${encodeURIComponent(roomId)}`
  await call('POST', `${room}/join`, bob, {})
  let serial = 0
  const send = async (who: Person, type: string, content: JsonObject) =>
    String((await call('PUT', `${room}/send/${type}/${++serial}`, who, content))['event_id'])
  const say = (who: Person, body = 'hello', more: JsonObject = {}) =>
    send(who, 'm.room.message', { msgtype: 'm.text', body, ...more })
  const settled = () => server.workers.push?.settled()
  /** The events that were pushed, by body; a badge alone is its number. */
  const pushed = async () => {
    await settled()
    return gateway.got.map(({ notification }) => {
      const content = notification['content'] as JsonObject | undefined
      return content?.['body'] ?? (notification['counts'] as JsonObject)['unread']
    })
  }
  return { server, gateway, alice, bob, raw, call, room, roomId, send, say, pushed, settled }
}
