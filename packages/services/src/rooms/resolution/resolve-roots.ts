// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { neededState } from '@myelin/rules/auth/needed-state'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { StateKey } from '@myelin/rules/auth/state-key'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { ForkedState } from '@myelin/rules/state-resolution/forked-state'
import type { Resolution } from '@myelin/rules/state-resolution/resolution'
import { resolveConflicted } from '@myelin/rules/state-resolution/resolve'
import { resolveV1 } from '@myelin/rules/state-resolution/v1'
import type { Read, Tx } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsByNid, powerLevelsAmong } from '@myelin/storage/rooms/events/events'
import { keyNid } from '@myelin/storage/engine/names'
import { changeState, stateAt } from '@myelin/storage/rooms/state/state'
import type { StateChange } from '@myelin/storage/schema/state-change'
import { branchesOf, conflictedOf, isExpensive } from './branches.ts'
import type { Branches } from './branches.ts'
import type { RoomContext } from '../../room-state/room-context.ts'
import { authGraphOf, fullConflict } from './full-conflict.ts'
import { ResolutionNeed } from './unit-needs.ts'

/** The result of a resolution: the first state, and the changes to it. */
export interface ResolvedRoots {
  readonly base: number
  readonly changes: readonly StateChange[]
}

/**
 * Resolves several states into one. Reads their differences and the auth events of these, never a whole room.
 *
 * The result is cached, because the state of a root never changes.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#state-resolution
 */
export async function resolveRoots(db: Read, version: RoomVersion, roots: readonly number[]): Promise<ResolvedRoots> {
  const distinct = distinctOf(roots)
  const [base = 0, ...others] = distinct
  if (others.length === 0) return { base, changes: [] }
  const kept = db.caches.resolutions.get(distinct.join(' '))
  if (kept) return kept
  const resolved = { base, changes: await changesOf(db, version, distinct) }
  keepResolution(db, distinct, resolved)
  return resolved
}

/** Returns the distinct roots, in the order in which a resolution names them. */
export function distinctOf(roots: readonly number[]): number[] {
  return [...new Set(roots)].sort((a, b) => a - b)
}

/** Caches the resolution of distinct states. */
export function keepResolution(db: Read, roots: readonly number[], resolved: ResolvedRoots): void {
  db.caches.resolutions.set(roots.join(' '), resolved)
}

/**
 * Resolves states inside a unit of work and returns the root; or the need where that is much work and has not been done.
 */
export async function resolvedRoot(
  tx: Tx,
  { roomId, version }: RoomContext,
  roots: readonly number[],
): Promise<number | ResolutionNeed> {
  return (await resolvedRootIfCheap(tx, version, roots)) ?? new ResolutionNeed(roomId, version, distinctOf(roots))
}

/** Resolves states inside a unit of work and returns the root; undefined where that is expensive and not cached. */
export async function resolvedRootIfCheap(
  tx: Tx,
  version: RoomVersion,
  roots: readonly number[],
): Promise<number | undefined> {
  const distinct = distinctOf(roots)
  if (distinct.length < 2) return distinct[0] ?? 0
  const kept = tx.caches.resolutions.get(distinct.join(' '))
  if (!kept && (await isExpensive(tx, distinct))) return undefined
  const { base, changes } = kept ?? (await resolveRoots(tx, version, distinct))
  return changeState(tx, base, changes)
}

async function changesOf(db: Read, version: RoomVersion, roots: readonly number[]): Promise<StateChange[]> {
  const branches = await branchesOf(db, roots)
  const material = await loadMaterial(db, version, roots[0] ?? 0, branches)
  const resolved =
    version.stateResolution === 'v1'
      ? resolveV1(setsOf(branches, material), material)
      : resolveConflicted(material.full, material.unconflicted, material)
  const changes: StateChange[] = []
  for (const [key, name] of branches.keys) {
    const id = resolved.get(name)
    const event = id === undefined ? undefined : material.nids.get(id)
    if (event !== branches.base.get(key)) changes.push({ key, event })
  }
  return changes
}

/** All events that the rules read, by ID. */
type Material = Resolution & {
  readonly nids: ReadonlyMap<EventId, number>
  readonly ids: ReadonlyMap<number, EventId>
  /** The full conflicted set. */
  readonly full: ReadonlySet<EventId>
  /** The unconflicted state, as far as the events are judged by it. */
  readonly unconflicted: ReadonlyMap<StateKey, EventId>
}

async function loadMaterial(db: Read, version: RoomVersion, root: number, branches: Branches): Promise<Material> {
  const graph = await authGraphOf(db, conflictedOf(branches))
  const isV1 = version.stateResolution === 'v1'
  const isNew = version.stateResolution === 'v2.1'
  const full = isV1 ? graph.conflicted : await fullConflict(db, root, branches, graph, isNew)
  // The events to judge, the events that they name, and the power levels in their auth chains: no more of the chain
  // is read.
  const wanted = new Set(full)
  for (const nid of full) for (const next of graph.edges.get(nid) ?? []) wanted.add(next)
  if (!isV1) for (const nid of await powerLevelsAmong(db, [...graph.chain])) wanted.add(nid)
  const loaded = await eventsByNid(db, [...wanted])
  const judged = [...full].flatMap((nid) => loaded.get(nid)?.pdu ?? [])
  const undisputed = await undisputedState(db, version, root, branches.keys, judged)
  for (const [nid, event] of await eventsByNid(db, [...undisputed.values()])) loaded.set(nid, event)
  const events = new Map<EventId, Pdu>()
  const nids = new Map<EventId, number>()
  const rejected = new Set<EventId>()
  for (const [nid, { pdu, status }] of loaded) {
    events.set(pdu.id, pdu)
    nids.set(pdu.id, nid)
    if (status === EVENT_STATUS.rejected) rejected.add(pdu.id)
  }
  const ids = new Map([...nids].map(([id, nid]) => [nid, id]))
  const unconflicted = new Map<StateKey, EventId>()
  for (const [key, nid] of undisputed) {
    const id = ids.get(nid)
    if (id !== undefined) unconflicted.set(key, id)
  }
  return { version, events, rejected, nids, ids, full: new Set(judged.map(({ id }) => id)), unconflicted }
}

/** Returns, for each branch, its conflicting events and the unconflicted ones. */
function setsOf({ keys, base, changes }: Branches, { ids, unconflicted }: Material): ForkedState[] {
  const named = (entries: Iterable<[number, number | undefined]>) =>
    [...entries].flatMap(([key, nid]) => {
      const [name, id] = [keys.get(key), nid === undefined ? null : ids.get(nid)]
      return name === undefined || id === undefined ? [] : [[name, id] as const]
    })
  const common = new Map<StateKey, EventId>(unconflicted)
  for (const [name, id] of named(base)) if (id !== null) common.set(name, id)
  return changes.map((own) => new ForkedState(common, new Map(named(own))))
}

/** Returns the events of the unconflicted state by which an event of the full conflicted set is judged. */
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
