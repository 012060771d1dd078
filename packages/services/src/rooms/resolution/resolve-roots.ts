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
import type { RoomContext } from '../intake/check-incoming.ts'
import { authGraphOf, fullConflict } from './full-conflict.ts'
import { ResolutionNeed } from './unit-needs.ts'

/** What several states come to: the first of them, and what to change in it. */
export interface ResolvedRoots {
  readonly base: number
  readonly changes: readonly StateChange[]
}

/**
 * Resolves several whole states into one, reading what they differ in and what judges that, never a whole room.
 *
 * Roots name states that never change, so the answer is kept.
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

/** The distinct ones among roots, in the order in which a resolution names them. */
export function distinctOf(roots: readonly number[]): number[] {
  return [...new Set(roots)].sort((a, b) => a - b)
}

/** Keeps what distinct states come to. */
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

/** The same, undefined where it is much work and nobody did it before. */
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

/** Everything the rules ask for, by id. */
type Material = Resolution & {
  readonly nids: ReadonlyMap<EventId, number>
  readonly ids: ReadonlyMap<number, EventId>
  /** What is to be judged: the full conflicted set. */
  readonly full: ReadonlySet<EventId>
  /** The state nobody disputes, as far as the events need it to be judged. */
  readonly unconflicted: ReadonlyMap<StateKey, EventId>
}

async function loadMaterial(db: Read, version: RoomVersion, root: number, branches: Branches): Promise<Material> {
  const graph = await authGraphOf(db, conflictedOf(branches))
  const isV1 = version.stateResolution === 'v1'
  const isNew = version.stateResolution === 'v2.1'
  const full = isV1 ? graph.conflicted : await fullConflict(db, root, branches, graph, isNew)
  // What is judged, what it names, and the power levels behind all of it: no more of the chain is looked at.
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

/** For each branch, its events of the disputed keys with the undisputed ones. */
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
