// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { type JsonObject, objectMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { stateKey, type StateKey } from '../auth/state-key.ts'
import { room, versionsFrom } from '../fixtures/fixtures.ts'
import type { RoomVersion } from '../room-versions.ts'
import { resolve } from './resolve.ts'

/** A room, its branches, and what becomes of it in which versions. Events have names here; the names are their IDs. */
interface Story {
  readonly story: string
  readonly events: Readonly<Record<string, StoryEvent>>
  readonly sets: readonly (readonly string[])[]
  readonly rejected?: readonly string[]
  /** Expected state by versions, as `2-11`. */
  readonly expect: Readonly<Record<string, readonly string[]>>
  /** Users who are creators, and must not be listed in power levels where creators outrank everyone. */
  readonly unlistedSince12?: readonly string[]
}

interface StoryEvent {
  readonly type: string
  readonly of?: string
  readonly sender: string
  readonly content: JsonObject
  readonly auth?: readonly string[]
  readonly ts?: number
  readonly depth?: number
}

const users: Readonly<Record<string, string>> = {
  alice: '@alice:one.test',
  bob: '@bob:two.test',
  carol: '@carol:one.test',
  dave: '@dave:two.test',
}
const folder = new URL('stories/', import.meta.url)

for (const file of readdirSync(folder)) {
  const story = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Story
  describe(`${file}: ${story.story}`, () => {
    for (const [range, expected] of Object.entries(story.expect)) {
      const [first, last = first] = range.split('-').map(Number)
      for (const version of versionsFrom(first ?? 1, last)) {
        test(`in version ${version.id} ends with ${expected.join(', ')}`, () => {
          const events = eventsOf(story, version)
          const sets = story.sets.map((names) => stateSet(names, events))
          const rejected = new Set((story.rejected ?? []).map(idOf))
          for (const order of [sets, sets.toReversed()]) {
            const resolved = resolve(version, order, events, rejected)
            assert.deepEqual(namesIn(resolved), expected.toSorted())
          }
        })
      }
    }
  })
}

function eventsOf(story: Story, version: RoomVersion): Map<EventId, Pdu> {
  const impliesCreate = version.roomIds === 'hash of create event'
  const entries = Object.entries(story.events).map(([name, each], at) => {
    const auth = (each.auth ?? []).filter((other) => !impliesCreate || other !== 'create')
    const pdu: Pdu = {
      id: idOf(name),
      roomId: impliesCreate ? ('!create' as RoomId) : room,
      sender: users[each.sender] as UserId,
      type: each.type,
      stateKey: each.of === undefined ? '' : (users[each.of] ?? ''),
      content: version.auth.creatorsOutrankEveryone
        ? withoutCreators(each.content, story.unlistedSince12)
        : each.content,
      prevEvents: each.type === 'm.room.create' ? [] : [idOf(name === 'alice' ? 'create' : 'before')],
      authEvents: auth.map(idOf),
      depth: each.depth ?? at,
      originServerTs: each.ts ?? at,
      json: {},
    }
    return [pdu.id, pdu] as const
  })
  return new Map(entries)
}

function withoutCreators(content: JsonObject, creators: readonly string[] = []): JsonObject {
  const listed = objectMember(content, 'users')
  if (!listed) return content
  return { ...content, users: Object.fromEntries(Object.entries(listed).filter(([user]) => !creators.includes(user))) }
}

function stateSet(names: readonly string[], events: ReadonlyMap<EventId, Pdu>): Map<StateKey, EventId> {
  return new Map(
    names.map((name) => {
      const pdu = events.get(idOf(name)) ?? assert.fail(`no event ${name}`)
      return [stateKey(pdu.type, pdu.stateKey), pdu.id]
    }),
  )
}

function namesIn(state: ReadonlyMap<StateKey, EventId>): string[] {
  return [...state.values()].map((id) => id.slice(1)).sort()
}

function idOf(name: string): EventId {
  return `$${name}` as EventId
}
