// SPDX-License-Identifier: Apache-2.0

/** The values of `history_visibility`. */
export const VISIBILITIES = ['world_readable', 'shared', 'invited', 'joined'] as const
/** When an event was sent: before the users came, while they were there, and after some were gone. */
export const PHASES = ['before', 'at', 'after'] as const
/** The users: what they are to the room at the end. A guest is joined, or was never in the room. */
export const STANDINGS = ['never', 'invited', 'knocked', 'joined', 'left', 'banned', 'guest in', 'guest out'] as const

export type Visibility = (typeof VISIBILITIES)[number]
export type Phase = (typeof PHASES)[number]
export type Standing = (typeof STANDINGS)[number]

/** The membership of each user in the state before the event of each phase. */
const MEMBERSHIPS: Readonly<Record<Standing, readonly [string, string, string]>> = {
  never: ['leave', 'leave', 'leave'],
  invited: ['leave', 'invite', 'invite'],
  knocked: ['leave', 'knock', 'knock'],
  joined: ['leave', 'join', 'join'],
  left: ['leave', 'join', 'leave'],
  banned: ['leave', 'join', 'ban'],
  'guest in': ['leave', 'join', 'join'],
  'guest out': ['leave', 'leave', 'leave'],
}

/**
 * Returns whether a user may see the event of a phase, by the rules of the spec in their order.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
 */
export function maySee(visibility: Visibility, standing: Standing, phase: Phase): boolean {
  const at = PHASES.indexOf(phase)
  const membership = MEMBERSHIPS[standing][at]
  // 1. If the `history_visibility` was set to `world_readable`, allow.
  if (visibility === 'world_readable') return true
  // 2. If the user's `membership` was `join`, allow.
  if (membership === 'join') return true
  // 3. If it was `shared`, and the user joined the room at any point after the event was sent, allow.
  if (visibility === 'shared' && MEMBERSHIPS[standing].slice(at + 1).includes('join')) return true
  // 4. If the user's `membership` was `invite`, and the `history_visibility` was set to `invited`, allow.
  return membership === 'invite' && visibility === 'invited'
}

/** Returns whether a user may read the room at all: as a member, as of a leave, or because everybody may. */
export function mayEnter(visibility: Visibility, standing: Standing): boolean {
  return visibility === 'world_readable' || MEMBERSHIPS[standing].includes('join')
}

/** Returns the phases whose events a user sees in lists; none where the room is not readable. */
export function seenPhases(visibility: Visibility, standing: Standing): Phase[] {
  return mayEnter(visibility, standing) ? PHASES.filter((phase) => maySee(visibility, standing, phase)) : []
}

/** Returns the phase whose state a user reads: the present one, or that of their leave. */
export function statePhase(visibility: Visibility, standing: Standing): Phase | undefined {
  if (!mayEnter(visibility, standing)) return undefined
  const hasLeft = standing === 'left' || standing === 'banned'
  return hasLeft && visibility !== 'world_readable' ? 'at' : 'after'
}
