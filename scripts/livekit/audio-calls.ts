// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { until } from '@myelin/testing/clients/room-client'
import type { Room, RoomClient } from '@myelin/testing/clients/room-client'
import type { Browser } from './browser.ts'
import { CALL_MEMBER } from './stage.ts'
import type { Stage } from './stage.ts'

const SLOT = 'm.call#ROOM'
const MSC4140 = '/_matrix/client/unstable/org.matrix.msc4140'
const MSC4195 = '/_matrix/client/unstable/io.element.msc4195/rtc/livekit'
const TOKEN_SERVICE = '/_myelin/livekit'
const HOUR_MS = 3_600_000
/** The time between two restarts of a leave by its page. */
export const RESTART_MS = 2_000
/** The longest time until a leave has come. */
export const WITHIN_MS = 90_000
/** Silence has an energy of 0; the fake microphone beeps once a second. */
const MIN_ENERGY = 0.05

/** A URL of an SFU and a token for it. */
interface Access {
  readonly url: string
  readonly jwt: string
}

/** A user in a room; `member` is the ID of their member of the call. */
export interface Caller {
  readonly client: RoomClient
  readonly room: Room
  readonly member: string
}

/** A way to get a token, and a way in which the leave of a killed participant comes about. */
export interface CallKind {
  readonly enter: (stage: Stage, caller: Caller, delayId: string) => Promise<Access>
  /** The delay of the leave event. */
  readonly delayMs: number
  /** The time between two restarts by the page; absent where the leave is handed over. */
  readonly restartsMs?: number
  /** Called once the participant is connected. */
  readonly entered: (
    stage: Stage,
    caller: Caller,
    call: { readonly delayId: string; readonly page: Browser },
  ) => Promise<void>
}

/** Token of MSC4195; the leave is handed over by a request of its own. */
const authenticated: CallKind = {
  delayMs: HOUR_MS,
  enter: ({ sfu }, caller) => tokens.authenticated(sfu.url, caller),
  entered: async ({ sfu }, caller, { delayId }) => {
    const body = { ...place(sfu.url, caller), delay_id: delayId }
    await caller.client.call('POST', `${MSC4195}/delegate_delayed_leave`, body)
  },
}

/** Token of lk-jwt-service for clients that know slots; the leave is handed over in the same request. */
const tokenService: CallKind = {
  delayMs: HOUR_MS,
  enter: async (_, caller, delayId) => {
    const { client, room, member } = caller
    return askTokenService(client.base, '/get_token', {
      room_id: room.id,
      slot_id: SLOT,
      openid_token: await openIdToken(client),
      member: { id: member, claimed_user_id: client.userId, claimed_device_id: client.deviceId },
      delay_id: delayId,
      delay_timeout: HOUR_MS,
      delay_cs_api_url: client.base,
    })
  },
  entered: async () => {},
}

/** Token of lk-jwt-service for old clients; the page restarts its leave itself. */
const ownLeave: CallKind = {
  delayMs: 8_000,
  restartsMs: RESTART_MS,
  enter: (_, caller) => tokens.byOpenId(caller.client.base, caller),
  entered: (_, { client }, { delayId, page }) => tokens.keepRestarting(client, delayId, page),
}

/** The ways to get a token and to keep a leave from being sent. */
export const tokens = {
  /** Returns a token of MSC4195 for an SFU of a server. */
  authenticated: async (url: string, caller: Caller, serverName?: string): Promise<Access> => {
    const body = { ...place(url, caller), ...(serverName === undefined ? {} : { server_name: serverName }) }
    const { jwt } = await caller.client.call<{ jwt: string }>('POST', `${MSC4195}/get_token`, body)
    return { url, jwt }
  },
  /** Returns a token of the token service of a server, which knows the user by the OpenID token only. */
  byOpenId: async (base: string, { client, room }: Caller): Promise<Access> =>
    askTokenService(base, '/sfu/get', {
      room: room.id,
      device_id: client.deviceId,
      openid_token: await openIdToken(client),
    }),
  /** Lets a page restart its leave. */
  keepRestarting: async ({ base, token }: RoomClient, delayId: string, page: Browser): Promise<void> => {
    await page.call('keepRestarting', `${base}${MSC4140}/delayed_events/${delayId}/restart`, token, RESTART_MS)
  },
}

/** The scenarios with pages of livekit-client. */
export const audioCalls = [
  ['the SFU refuses a room that Myelin did not create', refuseUnknownRoom],
  ['sound both ways with get_token; a killed participant leaves by delegate_delayed_leave', talk(authenticated)],
  ['sound both ways with /get_token of the token service; the leave handed over with it', talk(tokenService)],
  ['sound both ways with /sfu/get; the leave of a killed participant comes by its delay', talk(ownLeave)],
] as const satisfies readonly (readonly [string, (stage: Stage) => Promise<string>])[]

async function refuseUnknownRoom(stage: Stage): Promise<string> {
  const page = await stage.browser('/caller.html')
  const token = stage.sfu.token('mallory', { roomJoin: true, room: 'a room of nobody', roomCreate: false })
  const refusal = await page.call('join', stage.sfu.url, token).then(
    () => assert.fail('the SFU let a client create a room'),
    (cause: unknown) => String(cause),
  )
  assert.match(refusal, /does not exist|not exist|404/i)
  return refusal.split('\n')[0] ?? ''
}

function talk(kind: CallKind) {
  return async (stage: Stage): Promise<string> => {
    const { alice, bob, room } = await stage.pair()
    const [first, second] = [await enter(stage, kind, alice, room), await enter(stage, kind, bob, room)]
    const heard = [await sound(first.page), await sound(second.page)]
    if (kind.restartsMs !== undefined) {
      const enough = kind.delayMs / kind.restartsMs + 2
      await until('restarts for longer than the delay', async () => (await restartsOf(second.page)) >= enough)
    }
    // The leave has not come while the participant lives.
    assert.ok(await isMember(alice, room, bob))
    const killed = performance.now()
    await second.page.kill()
    await until('the leave of the killed participant', async () => !(await isMember(alice, room, bob)), WITHIN_MS)
    const seconds = (performance.now() - killed) / 1000
    assert.ok(await isMember(bob, room, alice), 'the other participant has left too')
    const levels = heard.map(({ bytes, energy }) => `${bytes} B, energy ${energy.toFixed(4)}`)
    return `received: ${levels.join(' and ')}; left ${seconds.toFixed(1)} s after the kill`
  }
}

/** Lets a user join a call: membership event, delayed leave, token, sound. */
export async function enter(stage: Stage, kind: CallKind, client: RoomClient, room: Room) {
  const caller = { client, room, member: `member-of-${client.deviceId}` }
  await client.setState(room, CALL_MEMBER, { application: 'm.call' }, stateKeyOf(client))
  const path = `/_matrix/client/v3${room.path}/state/${CALL_MEMBER}/${encodeURIComponent(stateKeyOf(client))}`
  const delayed = await client.call('PUT', `${path}?org.matrix.msc4140.delay=${kind.delayMs}`, {})
  const delayId = String(delayed['delay_id'])
  const page = await stage.browser('/caller.html')
  const { url, jwt } = await kind.enter(stage, caller, delayId)
  await page.call('join', url, jwt)
  await kind.entered(stage, caller, { delayId, page })
  return { page }
}

/** Waits until a page has heard the beeps of the other; throws where only silence comes. */
export async function sound(page: Browser) {
  type Heard = readonly { readonly bytes: number; readonly energy: number }[]
  return until('sound of the other', async () => {
    const [other] = await page.call<Heard>('heard')
    return other !== undefined && other.bytes > 0 && other.energy > MIN_ENERGY ? other : undefined
  })
}

async function restartsOf(page: Browser): Promise<number> {
  return page.evaluate('globalThis.restarts ?? 0')
}

/** Returns whether a device is in the call of a room, as a server has it. */
export async function isMember(asker: RoomClient, room: Room, member: RoomClient): Promise<boolean> {
  const content = await asker.state(room, CALL_MEMBER, stateKeyOf(member))
  return Object.keys(content ?? {}).length > 0
}

function stateKeyOf({ userId, deviceId }: RoomClient): string {
  return `_${userId}_${deviceId}_m.call`
}

function place(url: string, { client, room, member }: Caller) {
  return { url, room_id: room.id, slot_id: SLOT, member: { id: member, claimed_device_id: client.deviceId } }
}

/** Asks the token service, which knows the user by the OpenID token only. */
async function askTokenService(base: string, path: string, body: object): Promise<Access> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${base}${TOKEN_SERVICE}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  return JSON.parse(text) as Access
}

function openIdToken(client: RoomClient): Promise<object> {
  return client.call('POST', `/user/${encodeURIComponent(client.userId)}/openid/request_token`, {})
}
