// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { canonicalJson } from '@myelin/matrix/canonical-json'
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import type { Pdu } from '@myelin/matrix/pdu'
import { signingKeyFromSeed } from '@myelin/matrix/signatures'
import { AuthState } from '@myelin/rules/auth/auth-state'
import { authorize } from '@myelin/rules/auth/rules/authorize'
import { neededState } from '@myelin/rules/auth/needed-state'
import { stateKey, type StateKey } from '@myelin/rules/auth/state-key'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import { contentHashMatches } from '@myelin/rules/events/content-hash'
import { referenceHash } from '@myelin/rules/events/event-id'
import { parsePdu } from '@myelin/rules/events/parse-pdu'
import { addSignature, isSignedBy } from '@myelin/rules/events/signing'
import { roomVersion } from '@myelin/rules/room-versions'
import { ForkedState } from '@myelin/rules/state-resolution/forked-state'
import { resolve } from '@myelin/rules/state-resolution/resolve'
import { defaultRules } from '@myelin/rules/push/default-rules'
import { evaluate } from '@myelin/rules/push/evaluate'

/** `npm run bench:rules`: measures the rules alone. Arguments select benchmarks by parts of their names. */

interface Figure {
  readonly name: string
  readonly perSecond?: number
  readonly ms?: number
}

const wanted = process.argv.slice(2)
const version = roomVersion('11') ?? fail('room version 11')
const version12 = roomVersion('12') ?? fail('room version 12')
const key = signingKeyFromSeed('bench', Buffer.alloc(32, 1))
const signer = { serverName: 'one.test' as ServerName, key }
const alice = '@alice:one.test' as UserId
const room = '!room:one.test' as RoomId
const figures: Figure[] = []

const draft = {
  roomId: room,
  sender: alice,
  type: 'm.room.message',
  content: { msgtype: 'm.text', body: 'x'.repeat(100) },
  prevEvents: [`$${'a'.repeat(43)}` as EventId],
  authEvents: ['b', 'c', 'd'].map((sign) => `$${sign.repeat(43)}` as EventId),
  depth: 1234,
  originServerTs: 1_700_000_000_000,
}
const pdu = buildPdu(draft, version, signer)
const text = canonicalJson(pdu.json)
const shuffled = JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(pdu.json).toReversed()))) as JsonObject

rate('canonical JSON, in order', () => canonicalJson(pdu.json))
rate('canonical JSON, out of order', () => canonicalJson(shuffled))
rate('JSON.parse, for comparison', () => JSON.parse(text))
rate('parse JSON, strict', () => parseJson(text, { strictNumbers: true }))
rate('parse event (format, sizes, event ID)', () => parsePdu(pdu.json, version))
rate('content hash', () => contentHashMatches(pdu.json))
rate('reference hash', () => referenceHash(pdu.json, version))
rate('sign', () => addSignature(pdu, version, signer))
rate('verify', () => isSignedBy(pdu, version, 'one.test', key.id, key.publicKey))
rate('build event (hash, sign, event ID)', () => buildPdu(draft, version, signer))
rate('receive event (parse, event ID, verify, content hash)', () => {
  const received = parsePdu(parseJson(text) as JsonObject, version)
  return isSignedBy(received, version, 'one.test', key.id, key.publicKey) && contentHashMatches(received.json)
})

const small = makeRoom(100)
const state = new AuthState(
  version,
  new Map([...small.state].map(([at, id]) => [at, small.events.get(id) ?? fail(id)])),
)
rate('authorize a message', () => authorize({ ...pdu, sender: member(5) }, state))
const ban: Pdu = { ...pdu, type: 'm.room.member', stateKey: member(7), content: { membership: 'ban' } }
rate('authorize a ban', () => authorize(ban, state))
const rules = defaultRules(alice)
const context = { userId: alice, displayName: 'Alice', memberCount: 100, senderPower: 0, notificationLevel: () => 50 }
rate('push rules of one user', () => evaluate(rules, { ...pdu, sender: member(5) }, context))

for (const members of [100, 10_000, 100_000]) {
  for (const branches of [2, 20, 200]) {
    for (const which of [version, version12]) {
      const name = `resolve ${branches} branches over ${members} members, version ${which.id}`
      if (isWanted(name)) timeResolution(name, makeRoom(members, which.id), branches)
    }
  }
}

mkdirSync('bench/results', { recursive: true })
const machine = { node: process.version, cores: availableParallelism() }
writeFileSync('bench/results/rules.json', `${JSON.stringify({ machine, figures }, undefined, 2)}\n`)
console.log('written to bench/results/rules.json')

function rate(name: string, work: () => unknown): void {
  if (!isWanted(name)) return
  progress(name)
  for (let at = 0; at < 2000; at++) work()
  const best = Math.max(...[1, 2, 3].map(() => perSecond(work)))
  report({ name, perSecond: Math.round(best) })
}

/** Runs for about 300 ms. */
function perSecond(work: () => unknown): number {
  const start = performance.now()
  let count = 0
  while (performance.now() - start < 300) {
    for (let at = 0; at < 100; at++) work()
    count += 100
  }
  return (count / (performance.now() - start)) * 1000
}

interface Room {
  readonly versionId: string
  readonly roomId: RoomId
  readonly events: Map<EventId, Pdu>
  readonly state: ReadonlyMap<StateKey, EventId>
}

/**
 * Measures state resolution over branches that change the topic, some memberships and, in every fourth branch, the power
 * levels.
 */
function timeResolution(name: string, base: Room, branches: number): void {
  progress(name)
  const forks = Array.from({ length: branches }, (_, branch) => {
    const changes = new Map<StateKey, EventId>()
    const change = (type: string, at: string, sender: UserId, content: JsonObject): void => {
      changes.set(stateKey(type, at), append(base, new ForkedState(base.state, changes), { type, at, sender, content }))
    }
    change('m.room.topic', '', alice, { topic: `${branch}` })
    for (let at = 0; at < 10; at++) {
      const user = member((branch * 10 + at) % base.state.size)
      change('m.room.member', user, at < 8 ? user : alice, { membership: at < 8 ? 'leave' : 'ban' })
    }
    if (branch % 4 === 0) change('m.room.power_levels', '', alice, levels({ [member(branch + 1)]: 50 }, base.versionId))
    return new ForkedState(base.state, changes)
  })
  const times = Array.from({ length: base.state.size > 50_000 ? 3 : 5 }, () => {
    const start = performance.now()
    resolve(roomVersion(base.versionId) ?? fail(base.versionId), forks, base.events)
    return performance.now() - start
  })
  report({ name, ms: Math.round(times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0) })
}

function makeRoom(members: number, versionId = '11'): Room {
  const state = new Map<StateKey, EventId>()
  const isNew = versionId === version12.id
  const made: Room = {
    versionId,
    roomId: isNew ? (`!${eventId(0).slice(1)}` as RoomId) : room,
    events: new Map(),
    state,
  }
  const add = (type: string, at: string, sender: UserId, content: JsonObject): void => {
    state.set(stateKey(type, at), append(made, state, { type, at, sender, content }))
  }
  add('m.room.create', '', alice, { room_version: versionId })
  add('m.room.member', alice, alice, { membership: 'join' })
  add('m.room.power_levels', '', alice, levels({}, versionId))
  add('m.room.join_rules', '', alice, { join_rule: 'public' })
  for (let at = 0; at < members; at++) add('m.room.member', member(at), member(at), { membership: 'join' })
  return made
}

interface Change {
  readonly type: string
  readonly at: string
  readonly sender: UserId
  readonly content: JsonObject
}

function append(base: Room, at: ReadonlyMap<StateKey, EventId>, change: Change): EventId {
  const id = eventId(base.events.size)
  const { type, sender, content } = change
  const which = roomVersion(base.versionId) ?? fail(base.versionId)
  const needed = neededState({ type, sender, stateKey: change.at, content }, which)
  base.events.set(id, {
    id,
    roomId: base.roomId,
    sender,
    type,
    stateKey: change.at,
    content,
    prevEvents: type === 'm.room.create' ? [] : [eventId(base.events.size === 1 ? 0 : 1)],
    authEvents: needed.map(([t, k]) => at.get(stateKey(t, k))).filter((each) => each !== undefined),
    depth: base.events.size,
    originServerTs: base.events.size,
    json: {},
  })
  return id
}

/** Returns a random event ID as long as a real one. */
function eventId(number: number): EventId {
  return `$${Buffer.from(`${number}`.padStart(32, '0')).toString('base64url')}` as EventId
}

function levels(users: Record<string, number>, versionId: string): JsonObject {
  return { users: versionId === version12.id ? users : { [alice]: 100, ...users } }
}

function member(number: number): UserId {
  return `@user${number}:server${number % 100}.test` as UserId
}

function isWanted(name: string): boolean {
  return wanted.length === 0 || wanted.some((part) => name.includes(part))
}

function progress(name: string): void {
  if (process.stderr.isTTY) process.stderr.write(`… ${name}\r`)
}

function report(figure: Figure): void {
  figures.push(figure)
  const value = figure.perSecond === undefined ? `${figure.ms} ms` : `${figure.perSecond.toLocaleString('en')}/s`
  console.log(`${figure.name.padEnd(58)} ${value.padStart(12)}`)
}

function fail(what: string): never {
  throw new Error(`there is no ${what}`)
}
