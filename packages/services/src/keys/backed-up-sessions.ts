// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { Database, Tx } from '@myelin/storage/engine/database'
import {
  countSessions,
  deleteSessions,
  heldSessions,
  putSessions,
  sessionsAfter,
} from '@myelin/storage/keys/key-backup-sessions'
import type { BackedUpSession, BackupPart, SessionRank } from '@myelin/storage/keys/key-backup-sessions'
import { moveBackupEtag } from '@myelin/storage/keys/key-backups'
import type { KeyBackup } from '@myelin/storage/keys/key-backups'
import type { Runtime } from '../runtime/runtime.ts'
import { backupOf, writableBackup } from './key-backup.ts'

type Needs = Pick<Runtime, 'db'>

/** A session key in a backup. */
export type BackupSession = BackedUpSession

/** A part of a user's backup: all of a version, a room, or a session. `version` is as the client sent it. */
export interface SessionsAsked {
  readonly user: UserId
  readonly version: string
  readonly roomId?: string
  readonly sessionId?: string
}

/** The entity tag and the number of keys of a backup after a change. */
export interface BackupState {
  readonly etag: string
  readonly count: number
}

const PAGE = 500
const MAX_SESSIONS = 1_000_000

/**
 * Stores keys in a user's newest backup. A key replaces a stored one only if it is better.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeys
 */
export async function storeSessions(
  rt: Needs,
  { user, version }: SessionsAsked,
  sessions: readonly BackupSession[],
): Promise<BackupState> {
  return rt.db.write(async (tx) => {
    const backup = await writableBackup(tx, user, version)
    const part = { user, version: backup.version }
    const held = new Map<string, SessionRank>()
    for (const session of await heldSessions(tx, part, sessions)) held.set(nameOf(session), session)
    const better = sessions.filter((session) => isBetter(session, held.get(nameOf(session))))
    await putSessions(tx, part, better)
    const state = await stateAfter(tx, part, backup, better.length > 0)
    if (better.length > 0) refuseTooMany(state.count)
    return state
  })
}

/** Throws `M_FORBIDDEN` where a backup would have more than 1,000,000 sessions; then the unit of work is rolled back. */
export function refuseTooMany(sessions: number): void {
  if (sessions > MAX_SESSIONS)
    throw new MatrixError('M_FORBIDDEN', `a key backup has at most ${MAX_SESSIONS} sessions; create a new one`)
}

/**
 * Returns the keys of a backup or of a room in it, page by page. Throws before the first page if the backup is unknown.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeys
 */
export async function readSessions(
  rt: Needs,
  { user, version, roomId }: SessionsAsked,
): Promise<AsyncIterable<readonly BackupSession[]>> {
  const backup = await backupOf(rt.db.read, user, version)
  return pagesOf(rt.db, { user, version: backup.version, roomId })
}

/**
 * Returns the key of one session; throws `M_NOT_FOUND` if the backup has none.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeysroomidsessionid
 */
export async function readSession(rt: Needs, { version, ...part }: Required<SessionsAsked>): Promise<BackupSession> {
  const backup = await backupOf(rt.db.read, part.user, version)
  const [session] = await sessionsAfter(rt.db.read, { ...part, version: backup.version }, undefined, 1)
  if (!session) throw new MatrixError('M_NOT_FOUND', 'the backup has no key for this session')
  return session
}

/**
 * Deletes keys from a backup: of one session, of a room, or all.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeys
 */
export async function removeSessions(rt: Needs, { version, ...asked }: SessionsAsked): Promise<BackupState> {
  return rt.db.write(async (tx) => {
    const backup = await backupOf(tx, asked.user, version)
    const part = { ...asked, version: backup.version }
    return stateAfter(tx, part, backup, await deleteSessions(tx, part))
  })
}

async function stateAfter(tx: Tx, part: BackupPart, backup: KeyBackup, isChanged: boolean): Promise<BackupState> {
  const etag = isChanged ? await moveBackupEtag(tx, part.user, part.version) : backup.etag
  return { etag: String(etag), count: await countSessions(tx, part) }
}

async function* pagesOf(db: Database, part: BackupPart): AsyncGenerator<readonly BackupSession[]> {
  let page = await sessionsAfter(db.read, part, undefined, PAGE)
  while (page.length > 0) {
    yield page
    page = page.length < PAGE ? [] : await sessionsAfter(db.read, part, page.at(-1), PAGE)
  }
}

/**
 * Returns whether a key replaces the stored one: first a verified one, then one with a lower message index, then one
 * that was forwarded less often.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups
 */
export function isBetter(key: SessionRank, held: SessionRank | undefined): boolean {
  if (!held) return true
  if (key.isVerified !== held.isVerified) return key.isVerified
  if (key.firstMessageIndex !== held.firstMessageIndex) return key.firstMessageIndex < held.firstMessageIndex
  return key.forwardedCount < held.forwardedCount
}

function nameOf({ roomId, sessionId }: { readonly roomId: string; readonly sessionId: string }): string {
  return JSON.stringify([roomId, sessionId])
}
