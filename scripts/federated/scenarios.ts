// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { RequestError } from '@myelin/testing/clients/matrix-client'
import { until } from '@myelin/testing/clients/room-client'
import type { ClientEvent, RoomClient, Room } from '@myelin/testing/clients/room-client'
import { manyMembers } from './many-members.ts'
import type { HomeServer } from './servers.ts'

/** Two servers, a user on each, and another user on the second. */
export interface Pair {
  readonly here: RoomClient
  readonly there: RoomClient
  readonly other: RoomClient
  readonly hereServer: HomeServer
  readonly thereServer: HomeServer
}

/** A scenario of two servers; it throws on a failure. */
export interface Scenario {
  readonly name: string
  readonly run: (pair: Pair) => Promise<void>
}

const PUBLIC = { preset: 'public_chat' }
const VERSIONS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12']

/** A room that is created on `here` and joined from `there`; run it in both directions. */
export const scenarios: readonly Scenario[] = [
  ...VERSIONS.map((version) => ({
    name: `room version ${version}: join, messages both ways, leave`,
    run: (pair: Pair) => talkInVersion(pair, version),
  })),
  { name: 'join by alias', run: joinByAlias },
  { name: 'invite, and accept it', run: inviteAndAccept },
  { name: 'invite, and reject it', run: inviteAndReject },
  { name: 'leave and join again', run: leaveAndJoinAgain },
  { name: 'kick', run: kick },
  { name: 'ban, and the banned cannot join', run: ban },
  { name: 'knock, and be let in', run: knock },
  { name: 'restricted room', run: restricted },
  { name: 'history from before the join', run: history },
  { name: 'edits, reactions, redactions', run: relations },
  { name: 'state both ways, and power levels', run: stateBothWays },
  { name: 'a room of many members', run: manyMembers },
  { name: 'typing', run: typing },
  { name: 'presence', run: presence },
  { name: 'receipts', run: receipts },
  { name: 'media', run: media },
  { name: 'profiles', run: profiles },
  { name: 'public rooms', run: publicRooms },
  { name: 'spaces', run: spaces },
  { name: 'device keys and their changes', run: deviceKeys },
  { name: 'to-device messages', run: toDevice },
  { name: 'a server that was away catches up', run: catchUp },
]

async function shared({ here, there }: Pair, body: object = {}): Promise<Room> {
  const room = await here.createRoom({ ...PUBLIC, ...body })
  await join(there, room, here)
  return room
}

async function join(who: RoomClient, room: Room, via: RoomClient): Promise<void> {
  await who.call('POST', `/join/${encodeURIComponent(room.id)}?server_name=${encodeURIComponent(serverOf(via))}`, {})
}

const serverOf = ({ userId }: RoomClient) => userId.slice(userId.indexOf(':') + 1)

async function arrives(who: RoomClient, room: Room, eventId: string): Promise<ClientEvent> {
  return until(`${eventId} at ${who.userId}`, () => who.event(room, eventId))
}

async function stands(who: RoomClient, room: Room, userId: string, membership: string): Promise<void> {
  await until(
    `${userId} as ${membership} at ${who.userId}`,
    async () => (await who.membership(room, userId)) === membership,
  )
}

async function refused(attempt: Promise<unknown>): Promise<RequestError> {
  try {
    await attempt
  } catch (cause) {
    if (cause instanceof RequestError) return cause
    throw cause
  }
  throw new Error('it was allowed')
}

async function talkInVersion(pair: Pair, version: string): Promise<void> {
  const { here, there } = pair
  const room = await shared(pair, { room_version: version })
  await arrives(there, room, await here.say(room, 'from here'))
  await arrives(here, room, await there.say(room, 'from there'))
  await arrives(there, room, await here.say(room, 'from here again'))
  await there.call('POST', `${room.path}/leave`, {})
  await stands(here, room, there.userId, 'leave')
}

async function joinByAlias({ here, there }: Pair): Promise<void> {
  const name = `alias${Date.now()}`
  const room = await here.createRoom({ ...PUBLIC, room_alias_name: name })
  const alias = encodeURIComponent(`#${name}:${serverOf(here)}`)
  const answer = await there.call('POST', `/join/${alias}`, {})
  assert.equal(answer['room_id'], room.id)
  await stands(here, room, there.userId, 'join')
}

async function invited(who: RoomClient, room: Room): Promise<void> {
  await who.waitForSync('the invite', (answer) => {
    const rooms = answer['rooms'] as { invite?: Record<string, unknown> } | undefined
    return rooms?.invite?.[room.id] !== undefined
  })
}

async function inviteAndAccept({ here, there }: Pair): Promise<void> {
  const room = await here.createRoom({ preset: 'private_chat', name: 'Invited' })
  await here.call('POST', `${room.path}/invite`, { user_id: there.userId })
  await invited(there, room)
  await there.call('POST', `${room.path}/join`, {})
  await stands(here, room, there.userId, 'join')
  await arrives(here, room, await there.say(room, 'thanks'))
}

async function inviteAndReject({ here, there }: Pair): Promise<void> {
  const room = await here.createRoom({ preset: 'private_chat', invite: [there.userId] })
  await invited(there, room)
  await there.call('POST', `${room.path}/leave`, {})
  await stands(here, room, there.userId, 'leave')
}

async function leaveAndJoinAgain(pair: Pair): Promise<void> {
  const { here, there } = pair
  const room = await shared(pair)
  await there.call('POST', `${room.path}/leave`, {})
  await stands(here, room, there.userId, 'leave')
  await here.say(room, 'while you were away')
  await here.setState(room, 'm.room.topic', { topic: 'changed meanwhile' })
  await join(there, room, here)
  await arrives(there, room, await here.say(room, 'welcome back'))
  assert.equal((await there.state(room, 'm.room.topic'))?.['topic'], 'changed meanwhile')
  await arrives(here, room, await there.say(room, 'back'))
}

async function kick(pair: Pair): Promise<void> {
  const { here, there } = pair
  const room = await shared(pair)
  await here.call('POST', `${room.path}/kick`, { user_id: there.userId, reason: 'a test' })
  await stands(here, room, there.userId, 'leave')
  await until('the kick there', async () => {
    const joined = (await there.call('GET', '/joined_rooms'))['joined_rooms'] as readonly string[]
    return !joined.includes(room.id)
  })
}

async function ban(pair: Pair): Promise<void> {
  const { here, there } = pair
  const room = await shared(pair)
  await here.call('POST', `${room.path}/ban`, { user_id: there.userId })
  await until('the ban there', async () => {
    const joined = (await there.call('GET', '/joined_rooms'))['joined_rooms'] as readonly string[]
    return !joined.includes(room.id)
  })
  assert.equal((await refused(join(there, room, here))).status, 403)
  await here.call('POST', `${room.path}/unban`, { user_id: there.userId })
  await join(there, room, here)
  await stands(here, room, there.userId, 'join')
}

async function knock({ here, there }: Pair): Promise<void> {
  const initial = [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }]
  const room = await here.createRoom({ preset: 'private_chat', initial_state: initial, room_version: '10' })
  const path = `/knock/${encodeURIComponent(room.id)}?server_name=${encodeURIComponent(serverOf(here))}`
  await there.call('POST', path, { reason: 'please' })
  await stands(here, room, there.userId, 'knock')
  await here.call('POST', `${room.path}/invite`, { user_id: there.userId })
  await invited(there, room)
  await there.call('POST', `${room.path}/join`, {})
  await stands(here, room, there.userId, 'join')
}

async function restricted(pair: Pair): Promise<void> {
  const { here, there, other } = pair
  const lobby = await shared(pair)
  const allow = [{ type: 'm.room_membership', room_id: lobby.id }]
  const content = { join_rule: 'restricted', allow }
  const initial = [{ type: 'm.room.join_rules', state_key: '', content }]
  const room = await here.createRoom({ preset: 'private_chat', initial_state: initial, room_version: '10' })
  await join(there, room, here)
  await stands(here, room, there.userId, 'join')
  assert.equal((await refused(join(other, room, here))).status, 403)
}

async function history(pair: Pair): Promise<void> {
  const { here, there } = pair
  const room = await here.createRoom(PUBLIC)
  const said: string[] = []
  for (let index = 0; index < 30; index++) {
    said.push(`old ${index}`)
    await here.say(room, said.at(-1) ?? '')
  }
  await join(there, room, here)
  await until('the history there', async () => {
    const texts = await there.texts(room)
    return JSON.stringify(texts.filter((text) => text.startsWith('old')).reverse()) === JSON.stringify(said)
  })
}

async function relations(pair: Pair): Promise<void> {
  const { here, there } = pair
  const room = await shared(pair)
  const message = await here.say(room, 'tpyo')
  await arrives(there, room, message)
  const edit = await here.sendEvent(room, 'm.room.message', {
    msgtype: 'm.text',
    body: '* typo',
    'm.new_content': { msgtype: 'm.text', body: 'typo' },
    'm.relates_to': { rel_type: 'm.replace', event_id: message },
  })
  await arrives(there, room, edit)
  const reaction = await there.sendEvent(room, 'm.reaction', {
    'm.relates_to': { rel_type: 'm.annotation', event_id: message, key: '+1' },
  })
  await arrives(here, room, reaction)
  const doomed = await there.say(room, 'never mind')
  await arrives(here, room, doomed)
  await there.call('PUT', `${room.path}/redact/${encodeURIComponent(doomed)}/r${Date.now()}`, {})
  await until('the redaction here', async () => {
    const event = await here.event(room, doomed)
    return event && event.content['body'] === undefined
  })
}

async function stateBothWays(pair: Pair): Promise<void> {
  const { here, there } = pair
  const room = await shared(pair)
  await here.setState(room, 'm.room.topic', { topic: 'from here' })
  await until('the topic there', async () => (await there.state(room, 'm.room.topic'))?.['topic'] === 'from here')
  assert.equal((await refused(there.setState(room, 'm.room.topic', { topic: 'not yet' }))).errcode, 'M_FORBIDDEN')
  const levels = (await here.state(room, 'm.room.power_levels')) ?? {}
  const users = { ...(levels['users'] as object), [there.userId]: 50 }
  const raised = await here.setState(room, 'm.room.power_levels', { ...levels, users })
  await arrives(there, room, raised)
  await there.setState(room, 'm.room.topic', { topic: 'from there' })
  await until('the topic here', async () => (await here.state(room, 'm.room.topic'))?.['topic'] === 'from there')
}

async function ephemeral(who: RoomClient, room: Room, type: string, mentions: string): Promise<void> {
  await who.waitForSync(type, (answer) => {
    const rooms = answer['rooms'] as { join?: Record<string, { ephemeral?: { events: ClientEvent[] } }> } | undefined
    const events = rooms?.join?.[room.id]?.ephemeral?.events ?? []
    return events.some((event) => event.type === type && JSON.stringify(event.content).includes(mentions))
  })
}

async function typing(pair: Pair): Promise<void> {
  const { here, there } = pair
  const room = await shared(pair)
  await arrives(there, room, await here.say(room, 'are you there?'))
  await there.call('PUT', `${room.path}/typing/${encodeURIComponent(there.userId)}`, { typing: true, timeout: 30_000 })
  await ephemeral(here, room, 'm.typing', there.userId)
}

async function presence(pair: Pair): Promise<void> {
  const { here, there } = pair
  await shared(pair)
  await there.sync()
  const path = `/presence/${encodeURIComponent(here.userId)}/status`
  for (const status of ['having tea', 'back again']) {
    await here.call('PUT', path, { presence: 'online', status_msg: status })
    const isTold = async () => {
      await here.sync()
      const { status_msg: shown, presence: state } = await there.call('GET', path)
      return shown === status && state === 'online'
    }
    await until(`${status} at ${there.userId}`, isTold, 60_000)
  }
}

async function receipts(pair: Pair): Promise<void> {
  const { here, there } = pair
  const room = await shared(pair)
  const message = await here.say(room, 'read me')
  await arrives(there, room, message)
  await there.call('POST', `${room.path}/receipt/m.read/${encodeURIComponent(message)}`, {})
  await ephemeral(here, room, 'm.receipt', there.userId)
}

async function media({ here, there }: Pair): Promise<void> {
  const text = `some bytes ${Date.now()}`
  const uploaded = (await (await here.bytes('POST', '/_matrix/media/v3/upload', Buffer.from(text))).json()) as {
    content_uri: string
  }
  const path = `/_matrix/client/v1/media/download/${uploaded.content_uri.replace('mxc://', '')}`
  const downloaded = await there.bytes('GET', path)
  assert.equal(downloaded.status, 200)
  assert.equal(await downloaded.text(), text)
}

async function profiles({ here, there }: Pair): Promise<void> {
  const displayname = `Somebody ${Date.now()}`
  await here.call('PUT', `/profile/${encodeURIComponent(here.userId)}/displayname`, { displayname })
  const seen = await there.call('GET', `/profile/${encodeURIComponent(here.userId)}`)
  assert.equal(seen['displayname'], displayname)
}

async function publicRooms({ here, there }: Pair): Promise<void> {
  const name = `Public ${Date.now()}`
  const room = await here.createRoom({ ...PUBLIC, name, visibility: 'public' })
  const answer = await there.call('GET', `/publicRooms?server=${encodeURIComponent(serverOf(here))}`)
  const chunk = answer['chunk'] as readonly { room_id: string; name?: string }[]
  assert.ok(chunk.some(({ room_id: id, name: shown }) => id === room.id && shown === name))
}

async function spaces({ here, there }: Pair): Promise<void> {
  const child = await here.createRoom({ ...PUBLIC, name: 'Child' })
  const space = await here.createRoom({ ...PUBLIC, creation_content: { type: 'm.space' } })
  await here.setState(space, 'm.space.child', { via: [serverOf(here)] }, child.id)
  await join(there, space, here)
  const answer = await there.call('GET', `/_matrix/client/v1/rooms/${encodeURIComponent(space.id)}/hierarchy`)
  const rooms = answer['rooms'] as readonly { room_id: string; name?: string }[]
  assert.ok(rooms.some(({ room_id: id, name }) => id === child.id && name === 'Child'))
}

async function uploadKeys(who: RoomClient): Promise<void> {
  const ids = { user_id: who.userId, device_id: who.deviceId }
  const keys = { [`curve25519:${who.deviceId}`]: 'a'.repeat(43), [`ed25519:${who.deviceId}`]: 'b'.repeat(43) }
  await who.call('POST', '/keys/upload', {
    device_keys: { ...ids, algorithms: ['m.olm.v1.curve25519-aes-sha2'], keys, signatures: {} },
    one_time_keys: { 'signed_curve25519:AAAA': { key: 'c'.repeat(43), signatures: {} } },
  })
}

async function deviceKeys(pair: Pair): Promise<void> {
  const { here, there } = pair
  await shared(pair, { preset: 'private_chat', invite: [there.userId] }).catch(() => undefined)
  await shared(pair)
  await uploadKeys(there)
  const queried = await until('the device there', async () => {
    const answer = await here.call('POST', '/keys/query', { device_keys: { [there.userId]: [] } })
    const devices = (answer['device_keys'] as Record<string, Record<string, unknown>>)[there.userId]
    return devices?.[there.deviceId] !== undefined && devices
  })
  assert.ok(queried)
  const wanted = { one_time_keys: { [there.userId]: { [there.deviceId]: 'signed_curve25519' } } }
  const claimed = await here.call('POST', '/keys/claim', wanted)
  assert.ok(JSON.stringify(claimed['one_time_keys']).includes('signed_curve25519:AAAA'))
  const second = await there.anotherDevice()
  await uploadKeys(second)
  await here.waitForSync('the changed device list', (answer) => {
    const lists = answer['device_lists'] as { changed?: string[] } | undefined
    return lists?.changed?.includes(there.userId) ?? false
  })
  await until('the second device', async () => {
    const answer = await here.call('POST', '/keys/query', { device_keys: { [there.userId]: [] } })
    return (
      (answer['device_keys'] as Record<string, Record<string, unknown>>)[there.userId]?.[second.deviceId] !== undefined
    )
  })
}

async function toDevice({ here, there }: Pair): Promise<void> {
  const body = { messages: { [there.userId]: { [there.deviceId]: { hello: here.userId } } } }
  await here.call('PUT', `/sendToDevice/org.example.test/t${Date.now()}`, body)
  await there.waitForSync('the message to the device', (answer) => {
    const events = (answer['to_device'] as { events?: ClientEvent[] } | undefined)?.events ?? []
    return events.some(({ type, sender }) => type === 'org.example.test' && sender === here.userId)
  })
}

async function catchUp(pair: Pair): Promise<void> {
  const { here, there, thereServer } = pair
  const room = await shared(pair)
  await arrives(there, room, await here.say(room, 'before'))
  await thereServer.stop()
  const said: string[] = []
  for (let index = 0; index < 15; index++) {
    said.push(`missed ${index}`)
    await here.say(room, said.at(-1) ?? '')
  }
  await here.setState(room, 'm.room.topic', { topic: 'missed too' })
  await thereServer.start()
  await there.say(room, 'I am back')
  await until(
    'what was missed',
    async () => {
      const texts = new Set(await there.texts(room))
      return (
        said.every((each) => texts.has(each)) && (await there.state(room, 'm.room.topic'))?.['topic'] === 'missed too'
      )
    },
    120_000,
  )
}
