// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { alice, bob, event, memberEvent } from './fixtures/fixtures.ts'
import { isWorldReadable, mayServerSee, mayUserSee, type SeenEvent } from './visibility.ts'

const message = event({ type: 'm.room.message' })
const memberships = [undefined, 'leave', 'knock', 'ban', 'invite', 'join'] as const

/** The users who see a message, by visibility: those with these memberships, and those who joined later. */
const table = {
  world_readable: { memberships: [...memberships], later: true },
  shared: { memberships: ['join'], later: true },
  invited: { memberships: ['invite', 'join'], later: false },
  joined: { memberships: ['join'], later: false },
} as const

function sees(
  seen: SeenEvent,
  visibility: string | undefined,
  membership: string | undefined,
  joinedLater = false,
): boolean {
  return mayUserSee({ event: seen, userId: bob, visibility, membership, joinedLater })
}

describe('a message', () => {
  for (const [visibility, row] of Object.entries(table)) {
    test(`under ${visibility} is seen by those whom it is for`, () => {
      for (const membership of memberships) {
        const isFor = (row.memberships as readonly unknown[]).includes(membership)
        assert.equal(sees(message, visibility, membership), isFor, `${membership}`)
        assert.equal(sees(message, visibility, membership, true), isFor || row.later, `${membership}, joined later`)
      }
    })
  }

  test('is shared without a history visibility, and under an unknown one', () => {
    for (const visibility of [undefined, 'sometimes', '']) {
      assert.equal(sees(message, visibility, 'join'), true)
      assert.equal(sees(message, visibility, 'leave', true), true)
      assert.equal(sees(message, visibility, 'invite'), false)
    }
  })
})

describe('an event that changes visibility', () => {
  const change = (to: string) =>
    event({ type: 'm.room.history_visibility', stateKey: '', content: { history_visibility: to } })
  test('is seen by those who saw what was before, and by those who see what is after', () => {
    assert.equal(sees(change('joined'), 'world_readable', undefined), true)
    assert.equal(sees(change('world_readable'), 'joined', undefined), true)
    assert.equal(sees(change('invited'), 'joined', 'invite'), true)
    assert.equal(sees(change('invited'), 'joined', undefined), false)
  })
  test('is that only with the right type and state key', () => {
    assert.equal(sees({ ...change('world_readable'), stateKey: 'x' }, 'joined', undefined), false)
    assert.equal(sees({ ...change('world_readable'), type: 'x' }, 'joined', undefined), false)
  })
})

describe("a user's own membership", () => {
  test('is seen where it begins and where it ends', () => {
    assert.equal(sees(memberEvent(bob, bob, 'join'), 'joined', 'leave'), true)
    assert.equal(sees(memberEvent(alice, bob, 'ban'), 'joined', 'join'), true)
    assert.equal(sees(memberEvent(alice, bob, 'invite'), 'invited', undefined), true)
    assert.equal(sees(memberEvent(alice, bob, 'invite'), 'joined', undefined), false)
  })
  test('of another user is an event like any other', () => {
    assert.equal(sees(memberEvent(alice, alice, 'join'), 'joined', 'leave'), false)
  })
})

describe('a server', () => {
  const has = (seen: SeenEvent, visibility: string | undefined, ofUsers: readonly string[]) =>
    mayServerSee({ event: seen, serverName: 'two.test', visibility, memberships: ofUsers })

  test('has in full what one of its users could see', () => {
    assert.equal(has(message, 'joined', ['leave', 'join']), true)
    assert.equal(has(message, 'joined', ['leave', 'invite']), false)
    assert.equal(has(message, 'invited', ['invite']), true)
    assert.equal(has(message, 'invited', []), false)
    for (const visibility of ['shared', 'world_readable', undefined]) assert.equal(has(message, visibility, []), true)
  })
  test('has the memberships of its own users, and changes of visibility, before or after', () => {
    assert.equal(has(memberEvent(bob, bob, 'join'), 'joined', []), true)
    assert.equal(has(memberEvent(alice, alice, 'join'), 'joined', []), false)
    const opening = event({
      type: 'm.room.history_visibility',
      stateKey: '',
      content: { history_visibility: 'shared' },
    })
    assert.equal(has(opening, 'joined', []), true)
  })
})

test('only what is world_readable can be read by the world', () => {
  assert.deepEqual(['world_readable', 'shared', undefined].map(isWorldReadable), [true, false, false])
})
