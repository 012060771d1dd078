// SPDX-License-Identifier: Apache-2.0
import { hasWildcard, matchGlob } from '@myelin/matrix/glob'
import { hostnameOf, serverOf } from '@myelin/matrix/ids'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import { keyNames } from '@myelin/storage/engine/names'
import { roomById } from '@myelin/storage/rooms/rooms'
import { stateDifference } from '@myelin/storage/rooms/state/state'
import { nextTurn } from '@myelin/kit/next-turn'
import { shownContentOf } from '../room-state/shown-state.ts'
import { roomVersionOf } from '../room-state/versions.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** The kind of entity that a rule bans. */
type Kind = 'user' | 'server' | 'room'

/** The rules of a ban list in one state of its room; immutable. */
interface List {
  readonly stateRoot: number
  /** The rules, by the number of their state key. */
  readonly rules: ReadonlyMap<number, Rule>
  readonly banned: Readonly<Record<Kind, Entities>>
}

interface Rule {
  readonly kind: Kind
  readonly entity: string
  readonly reason: string
}

/** Entities by the way they are looked up, each with the reason. */
interface Entities {
  readonly names: ReadonlyMap<string, string>
  readonly globs: readonly (readonly [glob: string, reason: string])[]
}

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['m.policy.rule.user', 'user'],
  ['m.policy.rule.server', 'server'],
  ['m.policy.rule.room', 'room'],
])
const BANS: ReadonlySet<string> = new Set(['m.ban', 'org.matrix.mjolnir.ban'])
/** The longest ID; longer entities match nothing. */
const MAX_ENTITY_LENGTH = 255
/** The most rules of one list that count. */
const MAX_RULES = 50_000
const EVENTS_A_TURN = 200

const lists = new DatabaseCache<List>('policy lists', 100)
const nothing: List = { stateRoot: 0, rules: new Map(), banned: entitiesOf([]) }

/**
 * Returns the reason for which this server's ban lists ban a user, their server, or a room; undefined where they do
 * not. A list counts only while a local user is in its room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#moderation-policy-lists
 */
export async function banOf(
  rt: Pick<Runtime, 'db' | 'config' | 'serverName'>,
  user: UserId,
  room: RoomId,
): Promise<string | undefined> {
  const server = serverOf(user).toLowerCase()
  for (const list of rt.config.policyServer.banLists) {
    const { banned } = await listOf(rt, list as RoomId)
    const reason =
      reasonAgainst(banned.user, user) ??
      reasonAgainst(banned.server, server) ??
      reasonAgainst(banned.server, hostnameOf(serverOf(user)).toLowerCase()) ??
      reasonAgainst(banned.room, room)
    if (reason !== undefined) return reason
  }
  return undefined
}

function reasonAgainst({ names, globs }: Entities, name: string): string | undefined {
  return names.get(name) ?? globs.find(([glob]) => matchGlob(glob, name))?.[1]
}

/** Returns the current rules of a list: the cached ones with the changes since. */
async function listOf({ db, serverName }: Pick<Runtime, 'db' | 'serverName'>, id: RoomId): Promise<List> {
  const room = await roomById(db.read, id)
  if (!room || !(await joinedServers(db.read, id)).has(serverName)) return nothing
  const cache = lists.of(db.read)
  const kept = cache.get(id) ?? nothing
  if (kept.stateRoot === room.stateRoot) return kept
  const rules = await rulesSince(db.read, kept, room)
  const banned = rules === kept.rules ? kept.banned : entitiesOf(rules.values())
  const list = { stateRoot: room.stateRoot, rules, banned }
  cache.set(id, list)
  return list
}

async function rulesSince(
  db: Read,
  kept: List,
  room: { readonly stateRoot: number; readonly roomVersion: string },
): Promise<ReadonlyMap<number, Rule>> {
  const changes = await stateDifference(db, kept.stateRoot, room.stateRoot)
  const names = await keyNames(
    db,
    changes.map(({ key }) => key),
  )
  const ours = changes.filter(({ key }) => KINDS.has(names.get(key)?.type ?? ''))
  if (ours.length === 0) return kept.rules
  const rules = new Map(kept.rules)
  const version = roomVersionOf(room.roomVersion)
  for (let at = 0; at < ours.length; at += EVENTS_A_TURN) {
    const some = ours.slice(at, at + EVENTS_A_TURN)
    const events = await eventsByNid(
      db,
      some.flatMap(({ after }) => after ?? []),
    )
    for (const { key, after } of some) {
      const event = after === undefined ? undefined : events.get(after)
      const rule = event && ruleOf(event.pdu.type, shownContentOf(event, version))
      if (rule && rules.size < MAX_RULES) rules.set(key, rule)
      else rules.delete(key)
    }
    await nextTurn()
  }
  return rules
}

function ruleOf(type: string, content: Parameters<typeof stringMember>[0]): Rule | undefined {
  const kind = KINDS.get(type)
  const entity = stringMember(content, 'entity')
  const isBan = BANS.has(stringMember(content, 'recommendation') ?? '')
  if (kind === undefined || !isBan || entity === undefined || entity.length > MAX_ENTITY_LENGTH) return undefined
  return { kind, entity, reason: stringMember(content, 'reason') ?? 'no reason is given' }
}

function entitiesOf(rules: Iterable<Rule>): Readonly<Record<Kind, Entities>> {
  const make = () => ({ names: new Map<string, string>(), globs: [] as [string, string][] })
  const banned = { user: make(), server: make(), room: make() }
  for (const { kind, entity, reason } of rules) {
    // Server names are compared without regard to case.
    const name = kind === 'server' ? entity.toLowerCase() : entity
    if (hasWildcard(name)) banned[kind].globs.push([name, reason])
    else banned[kind].names.set(name, reason)
  }
  return banned
}
