// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { StateKeyPair } from '@myelin/rules/auth/needed-state'
import type { Read } from '@myelin/storage/engine/database'
import { loadState } from './load-auth-state.ts'

const SHOWN: readonly StateKeyPair[] = [
  'm.room.create',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.join_rules',
  'm.room.canonical_alias',
  'm.room.encryption',
].map((type) => [type, ''])

/**
 * Returns the stripped state of a room for an invited or knocking user, with their own member event and the inviting
 * user's.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#stripped-state
 */
export async function strippedStateOf(db: Read, root: number, own: Pdu): Promise<JsonObject[]> {
  const state = await loadState(db, root, [...SHOWN, ['m.room.member', own.sender]])
  const others = [...state.values()].filter((event) => event.stateKey !== own.stateKey || event.type !== own.type)
  return [...others, own].map(stripped)
}

/**
 * Returns the room's part of the stripped state as complete events, for an invite to or a knock from another server.
 */
export async function shownPdus(db: Read, root: number, sender: UserId): Promise<Pdu[]> {
  return [...(await loadState(db, root, [...SHOWN, ['m.room.member', sender]])).values()]
}

/** Returns an event reduced to sender, type, state key and content. */
export function stripped({ type, stateKey, sender, content }: Pdu): JsonObject {
  const shown: Record<string, Json> = { type, state_key: stateKey ?? '', sender, content }
  return shown
}
