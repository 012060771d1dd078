// SPDX-License-Identifier: Apache-2.0

/**
 * The event types that move a room up in a client's room list, as Synapse and MSC4186 have them. Migration 0002 names the
 * same.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md
 */
export const BUMPS: ReadonlySet<string> = new Set([
  'm.room.create',
  'm.room.message',
  'm.room.encrypted',
  'm.sticker',
  'm.call.invite',
  'm.poll.start',
  'm.beacon_info',
])
