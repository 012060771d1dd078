// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { EventId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { neededState } from '../auth/needed-state.ts'
import { stateKey, type StateKey } from '../auth/state-key.ts'
import { roomIdOfCreate } from '../events/event-id.ts'
import { room, versionsFrom } from '../fixtures/fixtures.ts'
import type { RoomVersion } from '../room-versions.ts'
import { authChain } from './auth-chain.ts'
import { ForkedState } from './forked-state.ts'
import { authDifference, conflictedSubgraph } from './full-conflicted-set.ts'
import { resolve } from './resolve.ts'
import { splitState } from './split.ts'

type State = ReadonlyMap<StateKey, EventId>

/** A step of a made-up history: somebody on some branch does something. */
interface Step {
  readonly branch: number
  readonly sender: UserId
  readonly action: 'join' | 'leave' | 'ban' | 'topic' | 'levels' | 'rules'
  readonly target: UserId
  readonly value: number
}

const users = ['@a:one', '@b:one', '@c:two', '@d:two'] as UserId[]
const step: fc.Arbitrary<Step> = fc.record({
  branch: fc.nat(2),
  sender: fc.constantFrom(...users),
  action: fc.constantFrom('join', 'leave', 'ban', 'topic', 'levels', 'rules'),
  target: fc.constantFrom(...users),
  value: fc.nat(100),
})

/** Plays a history on three branches, without asking whether anything is allowed: resolution must bear that. */
function play(version: RoomVersion, steps: readonly Step[]): { events: Map<EventId, Pdu>; branches: State[] } {
  const events = new Map<EventId, Pdu>()
  const createId = '$create' as EventId
  const roomId = version.roomIds === 'chosen by server' ? room : roomIdOfCreate(createId)
  const add = (
    state: Map<StateKey, EventId>,
    at: readonly [string, UserId, string],
    content: JsonObject,
    ts: number,
  ): void => {
    const [type, sender, key] = at
    const id = type === 'm.room.create' ? createId : (`$${events.size}` as EventId)
    const needed = neededState({ type, sender, stateKey: key, content }, version).map(([t, k]) =>
      state.get(stateKey(t, k)),
    )
    const authEvents = needed.filter((each) => each !== undefined)
    events.set(id, {
      id,
      roomId,
      sender,
      type,
      stateKey: key,
      content,
      prevEvents: [createId],
      authEvents,
      depth: events.size,
      originServerTs: ts,
      json: {},
    })
    state.set(stateKey(type, key), id)
  }
  const start = new Map<StateKey, EventId>()
  const [alice = '@a:one' as UserId] = users
  add(start, ['m.room.create', alice, ''], { creator: alice }, 0)
  add(start, ['m.room.member', alice, alice], { membership: 'join' }, 0)
  add(start, ['m.room.power_levels', alice, ''], { users: { '@b:one': 50 } }, 0)
  add(start, ['m.room.join_rules', alice, ''], { join_rule: 'public' }, 0)
  const branches = [0, 1, 2].map(() => new Map(start))
  for (const { branch, sender, action, target, value } of steps) {
    const state = branches[branch] ?? start
    if (action === 'topic') add(state, ['m.room.topic', sender, ''], { topic: `${value}` }, value)
    else if (action === 'levels') add(state, ['m.room.power_levels', sender, ''], { users: { [target]: value } }, value)
    else if (action === 'rules')
      add(state, ['m.room.join_rules', sender, ''], { join_rule: value > 50 ? 'public' : 'invite' }, value)
    else add(state, ['m.room.member', action === 'join' ? target : sender, target], { membership: action }, value)
  }
  return { events, branches }
}

const history = fc.array(step, { maxLength: 25 })
const version = fc.constantFrom(...versionsFrom(1))

describe('resolving', () => {
  test('does not depend on the order of the branches, nor on one that comes twice', () => {
    fc.assert(
      fc.property(version, history, fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), (which, steps, order) => {
        const { events, branches } = play(which, steps)
        const expected = sorted(resolve(which, branches, events))
        const turned = order.map((at) => branches[at] ?? assert.fail())
        assert.deepEqual(sorted(resolve(which, turned, events)), expected)
        assert.deepEqual(sorted(resolve(which, [...turned, ...branches], events)), expected)
      }),
    )
  })

  test('does not depend on the order in which events are at hand', () => {
    fc.assert(
      fc.property(version, history, (which, steps) => {
        const { events, branches } = play(which, steps)
        const turned = new Map([...events].toReversed())
        assert.deepEqual(sorted(resolve(which, branches, turned)), sorted(resolve(which, branches, events)))
      }),
    )
  })

  test('resolving a resolved state changes nothing', () => {
    fc.assert(
      fc.property(version, history, (which, steps) => {
        const { events, branches } = play(which, steps)
        const once = resolve(which, branches, events)
        assert.deepEqual(sorted(resolve(which, [once, once], events)), sorted(once))
        assert.deepEqual(sorted(resolve(which, [once], events)), sorted(once))
      }),
    )
  })

  test('keeps what is not in conflict, and invents nothing', () => {
    fc.assert(
      fc.property(version, history, (which, steps) => {
        const { events, branches } = play(which, steps)
        const resolved = resolve(which, branches, events)
        for (const [key, id] of splitState(branches).unconflicted) assert.equal(resolved.get(key), id)
        for (const [key, id] of resolved) {
          const pdu = events.get(id) ?? assert.fail()
          assert.equal(stateKey(pdu.type, pdu.stateKey), key)
        }
      }),
    )
  })

  test('gives the same for branches that are given as differences', () => {
    fc.assert(
      fc.property(version, history, (which, steps) => {
        const { events, branches } = play(which, steps)
        const base = play(which, []).branches[0] ?? assert.fail()
        const forks = branches.map(
          (branch) => new ForkedState(base, new Map([...branch].filter(([key, id]) => base.get(key) !== id))),
        )
        assert.deepEqual(sorted(resolve(which, forks, events)), sorted(resolve(which, branches, events)))
      }),
    )
  })

  test('of no branch and of one is no work', () => {
    for (const which of versionsFrom(1)) {
      assert.deepEqual(resolve(which, [], new Map()), new Map())
      const one = new Map([[stateKey('a'), '$1' as EventId]])
      assert.deepEqual(resolve(which, [one], new Map()), one)
    }
  })

  test('bears events that are not at hand', () => {
    fc.assert(
      fc.property(version, history, fc.nat(30), (which, steps, gone) => {
        const { events, branches } = play(which, steps)
        events.delete(`$${gone}` as EventId)
        const resolved = resolve(which, branches, events)
        for (const [key, id] of splitState(branches).unconflicted) assert.equal(resolved.get(key), id)
      }),
    )
  })

  test('follows an auth chain of any length without a deep stack', () => {
    for (const which of versionsFrom(2)) {
      const { events, branches } = play(which, [])
      const [base = new Map<StateKey, EventId>()] = branches
      let last = base.get(stateKey('m.room.power_levels')) ?? assert.fail()
      for (let at = 0; at < 20_000; at++) {
        const id = `$long${at}` as EventId
        events.set(id, { ...(events.get(last) ?? assert.fail()), id, authEvents: [last] })
        last = id
      }
      const other = new Map(base).set(stateKey('m.room.power_levels'), last)
      assert.equal(resolve(which, [base, other], events).size, base.size)
    }
  })
})

describe('the full conflicted set', () => {
  test('has the auth difference that its definition gives', () => {
    fc.assert(
      fc.property(version, history, (which, steps) => {
        const { events, branches } = play(which, steps)
        const chains = branches.map((branch) => authChain(branch.values(), events))
        const inSome = chains.reduce((all, chain) => all.union(chain))
        const inAll = chains.reduce((all, chain) => all.intersection(chain))
        assert.deepEqual(authDifference(splitState(branches), events), inSome.difference(inAll))
      }),
    )
  })

  test('has the subgraph that its definition gives', () => {
    fc.assert(
      fc.property(version, history, (which, steps) => {
        const { events, branches } = play(which, steps)
        const conflicted = new Set([...splitState(branches).conflicted.values()].flat())
        const reaches = (id: EventId): ReadonlySet<EventId> => authChain([id], events)
        const expected = new Set(conflicted)
        for (const from of conflicted) {
          for (const between of reaches(from))
            if (reaches(between).intersection(conflicted).size > 0) expected.add(between)
        }
        assert.deepEqual(new Set([...conflictedSubgraph(conflicted, events)].sort()), new Set([...expected].sort()))
      }),
    )
  })
})

describe('a forked state', () => {
  test('reads like a Map', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd').map((type) => stateKey(type))
    const id = fc.constantFrom('$1', '$2').map((text) => text as EventId)
    fc.assert(
      fc.property(fc.array(fc.tuple(key, id)), fc.array(fc.tuple(key, fc.option(id))), (base, changes) => {
        const fork = new ForkedState(new Map(base), new Map(changes))
        const model = new Map(base)
        for (const [each, value] of new Map(changes)) {
          if (value === null) model.delete(each)
          else model.set(each, value)
        }
        assert.deepEqual(sorted(fork), sorted(model))
        assert.equal(fork.size, model.size)
        assert.deepEqual([...fork.keys()].sort(), [...model.keys()].sort())
        assert.deepEqual([...fork.values()].sort(), [...model.values()].sort())
        const seen: unknown[] = []
        fork.forEach((value, each) => seen.push([each, value]))
        assert.equal(seen.length, model.size)
        for (const [each] of base)
          assert.deepEqual([fork.get(each), fork.has(each)], [model.get(each), model.has(each)])
      }),
    )
  })
})

function sorted(state: State): (readonly [StateKey, EventId])[] {
  return [...state].sort(([a], [b]) => (a < b ? -1 : 1))
}
