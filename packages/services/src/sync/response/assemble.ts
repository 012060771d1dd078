// SPDX-License-Identifier: Apache-2.0
import type { Read } from '@myelin/storage/engine/database'
import { printToken } from '../../room-state/page-token.ts'
import type { ProfileCursor } from '../../room-state/page-token.ts'
import { SYNC_SECTIONS } from '../sections/sections.ts'
import type { SyncSection } from '../sections/sync-section.ts'
import type { Slice } from '../sync-request.ts'
import { SyncScope } from '../sync-scope.ts'
import type { SyncTools } from '../sync-scope.ts'

/** A `/sync` response, and whether it has changes that end the wait of a client. */
export interface SyncAnswer {
  readonly body: Readonly<Record<string, unknown>>
  readonly isEmpty: boolean
}

type Members = Record<string, unknown>

// Every waiting client has an empty response; all of them share these members.
const UNCHANGED = Object.freeze(membersOf(SYNC_SECTIONS.map((section) => [section, section.unchanged])))

/** Builds the `/sync` response for a slice of the log from its sections. */
export async function assemble(tools: SyncTools, db: Read, slice: Slice): Promise<SyncAnswer> {
  const scope = new SyncScope(tools, db, slice)
  const changes: [SyncSection, unknown][] = []
  for (const section of SYNC_SECTIONS) changes.push([section, await section.changes(scope)])
  const loud = changes.filter(([section, value]) => !section.isQuiet && value !== undefined)
  const isEmpty = loud.length === 0
  const changed = isEmpty ? changes.filter(([section]) => section.isQuiet) : changes
  const lastMessage = (await scope.toDevice()).at(-1)
  const sticky = (await scope.sticky())?.upTo
  const profiles = await nextProfiles(scope)
  const isCut = sticky !== undefined && sticky < slice.upTo.position
  const next = {
    ...slice.upTo,
    ...(isCut ? { sticky } : {}),
    ...(profiles ? { profiles } : {}),
    toDevice: lastMessage?.position ?? slice.request.since?.toDevice ?? 0,
  }
  const body = {
    next_batch: printToken(next),
    ...(isEmpty ? UNCHANGED : {}),
    ...membersOf(changed.map(([section, value]) => [section, value ?? section.unchanged])),
  }
  return { body, isEmpty }
}

/** Returns the cursor of the profiles that are left; it stays where the client does not ask for profiles this time. */
async function nextProfiles(scope: SyncScope): Promise<ProfileCursor | undefined> {
  const read = await scope.profiles()
  return read ? read.next : scope.slice.since?.profiles
}

/** Sets the values of sections at their paths; a section without a value is left out. */
function membersOf(values: readonly (readonly [SyncSection, unknown])[]): Members {
  const members: Members = {}
  const rooms: Members = {}
  for (const [{ path }, value] of values) {
    if (value === undefined) continue
    const [first, second] = path
    if (second === undefined) members[first] = value
    else rooms[second] = value
  }
  return Object.keys(rooms).length > 0 ? { rooms, ...members } : members
}
