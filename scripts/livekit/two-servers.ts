// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { RoomClient, until } from '@myelin/testing/clients/room-client'
import type { Room } from '@myelin/testing/clients/room-client'
import { Playground } from '../federated/servers.ts'
import { enter, isMember, RESTART_MS, sound, tokens, WITHIN_MS } from './audio-calls.ts'
import type { CallKind } from './audio-calls.ts'
import { CALL_MEMBER } from './stage.ts'
import type { Stage } from './stage.ts'

/** The delay of the leave of the participant on the other server. */
const DELAY_MS = 8_000

/** The scenarios with users of two servers in a call on the SFU of the first. */
export const callsOfTwoServers = [
  ['sound both ways between two servers; the second asks the first for the token', talkAcross('federation')],
  ['sound both ways between two servers; the first checks the OpenID token of the second', talkAcross('OpenID')],
] as const satisfies readonly (readonly [string, (stage: Stage) => Promise<string>])[]

function talkAcross(way: 'federation' | 'OpenID') {
  return async (stage: Stage): Promise<string> => {
    const playground = new Playground()
    try {
      return await talk(stage, playground, way)
    } finally {
      await stage.closeBrowsers()
      await playground.close()
    }
  }
}

async function talk(stage: Stage, playground: Playground, way: 'federation' | 'OpenID'): Promise<string> {
  const { url, apiUrl, key, secret } = stage.sfu
  const livekit = { url, api_url: apiUrl, key, secret }
  const first = await playground.myelin('first', { matrix_rtc: { livekit } })
  const second = await playground.myelin('second')
  const [alice, bob] = [await RoomClient.register(first.url, 'alice'), await RoomClient.register(second.url, 'bob')]
  const events = { [CALL_MEMBER]: 0 }
  const room = await alice.createRoom({
    preset: 'public_chat',
    name: 'Call',
    power_level_content_override: { events },
  })
  await bob.call('POST', `/join/${encodeURIComponent(room.id)}?server_name=${encodeURIComponent(first.name)}`, {})
  const kind: CallKind = {
    delayMs: DELAY_MS,
    restartsMs: RESTART_MS,
    enter: (_, caller) =>
      way === 'federation' ? tokens.authenticated(url, caller, first.name) : tokens.byOpenId(first.url, caller),
    entered: (_, { client }, { delayId, page }) => tokens.keepRestarting(client, delayId, page),
  }
  const [here, there] = [await enter(stage, kind, alice, room), await enter(stage, kind, bob, room)]
  const heard = [await sound(here.page), await sound(there.page)]
  await until('the second participant at the first server', () => isMember(alice, room, bob))
  await until('the first participant at the second server', () => isMember(bob, room, alice))
  await there.page.kill()
  const killed = performance.now()
  await until('the leave at the other server', async () => !(await isMember(alice, room, bob)), WITHIN_MS)
  const seconds = (performance.now() - killed) / 1000
  assert.ok(await stillThere(alice, room), 'the other participant has left too')
  const levels = heard.map(({ bytes, energy }) => `${bytes} B, energy ${energy.toFixed(4)}`)
  return `received: ${levels.join(' and ')}; the leave came to the other server ${seconds.toFixed(1)} s after the kill`
}

const stillThere = (client: RoomClient, room: Room) => isMember(client, room, client)
