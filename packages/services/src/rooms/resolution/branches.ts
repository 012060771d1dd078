// SPDX-License-Identifier: Apache-2.0
import { stateKey } from '@myelin/rules/auth/state-key'
import type { StateKey } from '@myelin/rules/auth/state-key'
import { authChainOf } from '@myelin/storage/rooms/events/auth-edges'
import type { Read } from '@myelin/storage/engine/database'
import { keyNames } from '@myelin/storage/engine/names'
import { stateAt, stateDifference } from '@myelin/storage/rooms/state/state'

/** Several states, by their conflicting keys. */
export interface Branches {
  /** The conflicting keys, with their names. */
  readonly keys: ReadonlyMap<number, StateKey>
  /** The first state's events for these keys. */
  readonly base: ReadonlyMap<number, number>
  /** The differences of each state from the first; empty for the first. */
  readonly changes: readonly ReadonlyMap<number, number | undefined>[]
}

/** Returns the conflicting keys of the states with these roots; reads the differences, never a whole state. */
export async function branchesOf(db: Read, roots: readonly number[]): Promise<Branches> {
  const [first = 0] = roots
  const changes: Map<number, number | undefined>[] = []
  const keys = new Set<number>()
  for (const root of roots) {
    const own = new Map<number, number | undefined>()
    for (const { key, after } of await stateDifference(db, first, root)) {
      keys.add(key)
      own.set(key, after)
    }
    changes.push(own)
  }
  const base = new Map<number, number>()
  for (const key of keys) {
    const event = await stateAt(db, first, key)
    if (event !== undefined) base.set(key, event)
  }
  const names = await keyNames(db, [...keys])
  const named = [...names].map(([key, name]) => [key, stateKey(name.type, name.stateKey)] as const)
  return { keys: new Map(named), base, changes }
}

/** Returns the conflicting events. */
export function conflictedOf({ base, changes }: Branches): Set<number> {
  const events = new Set(base.values())
  for (const own of changes) for (const event of own.values()) if (event !== undefined) events.add(event)
  return events
}

/** The most conflicting keys, and auth events, that are resolved in a few milliseconds. */
const FEW = 64
const SHORT_CHAIN = 200

/**
 * Returns whether resolving these states would block the main thread for too long; reads no more than it takes to
 * decide.
 */
export async function isExpensive(db: Read, roots: readonly number[]): Promise<boolean> {
  const [first = 0, ...others] = roots
  const events = new Set<number>()
  let seen = 0
  for (const other of others) {
    const differences = await stateDifference(db, first, other)
    seen += differences.length
    if (seen > FEW) return true
    for (const { before, after } of differences) {
      if (before !== undefined) events.add(before)
      if (after !== undefined) events.add(after)
    }
  }
  return (await authChainOf(db, events, { most: SHORT_CHAIN })).size > SHORT_CHAIN
}
