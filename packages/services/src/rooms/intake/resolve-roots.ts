// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { neededState } from '@myelin/rules/auth/needed-state'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { StateKey } from '@myelin/rules/auth/state-key'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { conflictedSubgraph } from '@myelin/rules/state-resolution/full-conflicted-set'
import type { Resolution } from '@myelin/rules/state-resolution/resolution'
import { resolveConflicted } from '@myelin/rules/state-resolution/resolve'
import { resolveV1 } from '@myelin/rules/state-resolution/v1'
import { authChainOf } from '@myelin/storage/auth-edges'
import type { Read, Tx } from '@myelin/storage/database'
import { EVENT_STATUS, eventsByNid } from '@myelin/storage/events'
import { keyNames, keyNid } from '@myelin/storage/names'
import { changeState, stateAt, stateDifference, wholeState } from '@myelin/storage/state'
import type { StateChange } from '@myelin/storage/state-change'

/** What several states come to: the first of them, and what to change in it. */
export interface ResolvedRoots {
  readonly base: number
  readonly changes: readonly StateChange[]
}

/**
 * Resolves several whole states into one, reading what they differ in and what judges that, never a whole room.
 *
 * Roots name states that never change, so the answer is kept; asked ahead of a unit, the unit finds it ready.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#state-resolution
 */
export async function resolveRoots(db: Read, version: RoomVersion, roots: readonly number[]): Promise<ResolvedRoots> {
  const distinct = [...new Set(roots)].sort((a, b) => a - b)
  const [base = 0, ...others] = distinct
  if (others.length === 0) return { base, changes: [] }
  const name = distinct.join(' ')
  const kept = db.caches.resolutions.get(name)
  if (kept) return kept
  const resolved = { base, changes: await changesOf(db, version, distinct) }
  db.caches.resolutions.set(name, resolved)
  return resolved
}

/** The same inside a unit, as a root. */
export async function mergedRoot(tx: Tx, version: RoomVersion, roots: readonly number[]): Promise<number> {
  const { base, changes } = await resolveRoots(tx, version, roots)
  return changeState(tx, base, changes)
}

/** States by number, each as its events of the keys in question. */
type Branches = {
  readonly keys: ReadonlyMap<number, StateKey>
  /** For each root, the events of these keys. */
  readonly states: readonly ReadonlyMap<number, number>[]
}

async function changesOf(db: Read, version: RoomVersion, roots: readonly number[]): Promise<StateChange[]> {
  const [base = 0] = roots
  const branches = await branchesOf(db, roots)
  const material = await loadMaterial(db, version, roots, branches)
  const resolved =
    version.stateResolution === 'v1'
      ? resolveV1(material.sets, material)
      : await resolveV2(db, roots, branches, material)
  const changes: StateChange[] = []
  for (const [key, name] of branches.keys) {
    const id = resolved.get(name)
    const event = id === undefined ? undefined : material.nids.get(id)
    if (event !== (await stateAt(db, base, key))) changes.push({ key, event })
  }
  return changes
}

async function branchesOf(db: Read, roots: readonly number[]): Promise<Branches> {
  const [base = 0, ...others] = roots
  const keys = new Set<number>()
  for (const other of others) for (const { key } of await stateDifference(db, base, other)) keys.add(key)
  const names = await keyNames(db, [...keys])
  const states: Map<number, number>[] = []
  for (const root of roots) {
    const state = new Map<number, number>()
    for (const key of keys) {
      const event = await stateAt(db, root, key)
      if (event !== undefined) state.set(key, event)
    }
    states.push(state)
  }
  const named = [...names].map(([key, name]) => [key, stateKey(name.type, name.stateKey)] as const)
  return { keys: new Map(named), states }
}

/** Everything the rules ask for, by id. */
type Material = Resolution & {
  readonly nids: ReadonlyMap<EventId, number>
  readonly conflicted: ReadonlySet<EventId>
  /** The state nobody disputes, as far as the events need it to be judged. */
  readonly unconflicted: ReadonlyMap<StateKey, EventId>
  /** For each branch, its events of the disputed keys with the undisputed ones. */
  readonly sets: readonly ReadonlyMap<StateKey, EventId>[]
}

async function loadMaterial(
  db: Read,
  version: RoomVersion,
  roots: readonly number[],
  { keys, states }: Branches,
): Promise<Material> {
  const conflicted = new Set(states.flatMap((state) => [...state.values()]))
  const chain = await authChainOf(db, conflicted)
  const loaded = await eventsByNid(db, [...conflicted.union(chain)])
  const undisputed = await undisputedState(
    db,
    version,
    roots[0] ?? 0,
    keys,
    [...loaded.values()].map(({ pdu }) => pdu),
  )
  for (const [nid, event] of await eventsByNid(db, [...undisputed.values()])) loaded.set(nid, event)
  const events = new Map<EventId, Pdu>()
  const nids = new Map<EventId, number>()
  const rejected = new Set<EventId>()
  for (const [nid, { pdu, status }] of loaded) {
    events.set(pdu.id, pdu)
    nids.set(pdu.id, nid)
    if (status === EVENT_STATUS.rejected) rejected.add(pdu.id)
  }
  const idOf = (nid: number) => loaded.get(nid)?.pdu.id
  const unconflicted = new Map<StateKey, EventId>()
  for (const [key, nid] of undisputed) {
    const id = idOf(nid)
    if (id !== undefined) unconflicted.set(key, id)
  }
  const sets = states.map((state) => {
    const set = new Map(unconflicted)
    for (const [key, nid] of state) {
      const [name, id] = [keys.get(key), idOf(nid)]
      if (name !== undefined && id !== undefined) set.set(name, id)
    }
    return set
  })
  const disputed = new Set([...conflicted].flatMap((nid) => idOf(nid) ?? []))
  return { version, events, rejected, nids, conflicted: disputed, unconflicted, sets }
}

/** The events of the undisputed state that some event in question is judged by. */
async function undisputedState(
  db: Read,
  version: RoomVersion,
  root: number,
  disputed: Branches['keys'],
  events: readonly Pdu[],
): Promise<Map<StateKey, number>> {
  const wanted = new Map<StateKey, readonly [type: string, key: string]>()
  wanted.set(stateKey('m.room.create'), ['m.room.create', ''])
  wanted.set(stateKey('m.room.power_levels'), ['m.room.power_levels', ''])
  for (const event of events) for (const pair of neededState(event, version)) wanted.set(stateKey(...pair), pair)
  const found = new Map<StateKey, number>()
  for (const [name, [type, key]] of wanted) {
    const number = await keyNid(db, type, key)
    if (number === undefined || disputed.has(number)) continue
    const event = await stateAt(db, root, number)
    if (event !== undefined) found.set(name, event)
  }
  return found
}

async function resolveV2(
  db: Read,
  roots: readonly number[],
  branches: Branches,
  material: Material,
): Promise<Map<StateKey, EventId>> {
  const { conflicted, events } = material
  const isNew = material.version.stateResolution === 'v2.1'
  const byNid = new Map([...material.nids].map(([id, nid]) => [nid, id]))
  const difference = await authDifference(db, roots[0] ?? 0, branches, material)
  const full = new Set(isNew ? conflictedSubgraph(conflicted, events) : conflicted)
  for (const nid of difference) {
    const id = byNid.get(nid)
    if (id !== undefined) full.add(id)
  }
  return resolveConflicted(full, material.unconflicted, material)
}

/**
 * The events that are in the auth chains of some branches and not of all. What the undisputed state leads to is in all;
 * whether it leads to a candidate is only asked where there is one that is not in dispute anyway.
 */
async function authDifference(
  db: Read,
  root: number,
  { keys, states }: Branches,
  { nids, conflicted }: Material,
): Promise<Set<number>> {
  const chains: Set<number>[] = []
  for (const state of states) chains.push(await authChainOf(db, state.values()))
  const all = chains.reduce((one, other) => one.union(other), new Set<number>())
  const disputed = new Set([...conflicted].flatMap((id) => nids.get(id) ?? []))
  const candidates = new Set<number>()
  for (const nid of all) if (!disputed.has(nid) && !chains.every((chain) => chain.has(nid))) candidates.add(nid)
  if (candidates.size === 0) return candidates
  const undisputed = [...(await wholeState(db, root))].flatMap(([key, event]) => (keys.has(key) ? [] : [event]))
  return candidates.difference(await authChainOf(db, undisputed, candidates))
}
