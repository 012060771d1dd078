// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import type { RoomId } from '@myelin/matrix/ids'

/**
 * A room that a connection was sent. It is up to date as of each `pos`, unless a position says otherwise: such a room changed
 * while no list or subscription matched it.
 */
export interface SentRoom {
  /** The name of its state selection: see {@link ConnectionState.selections}. */
  readonly selection: string
  readonly timelineLimit: number
  readonly isDm: boolean
  /** The position up to which the room was sent; undefined stands for that of the `pos`. */
  readonly upTo?: number | undefined
  /** The same for its receipts and account data, where they differ; 0 where none were sent. */
  readonly receipts?: number | undefined
  readonly accountData?: number | undefined
}

/** Everything that a connection was sent. It never changes; a step creates the next one. */
export interface ConnectionState {
  readonly rooms: ReadonlyMap<RoomId, SentRoom>
  /** The texts of the state selections by name. Without a text, nothing is known of what was selected. */
  readonly selections: ReadonlyMap<string, string>
  /** The number of steps since the last whole one. */
  readonly steps: number
}

/** The state of a connection that was sent nothing. */
export const NOTHING_SENT: ConnectionState = { rooms: new Map(), selections: new Map(), steps: 0 }

/** The next state is written as a whole after this many steps. */
const MAX_STEPS = 32
/** The texts of selections that are kept, in characters; others are known by name only, and their rooms' state is sent again. */
const MAX_SELECTION_TEXT = 128 * 1024

/** The changed rooms of a step, and the selections that are new. */
export interface Step {
  readonly rooms: ReadonlyMap<RoomId, SentRoom>
  readonly selections: ReadonlyMap<string, string>
}

type RoomEntry = readonly [selection: string, limit: number, isDm: 0 | 1, ...positions: (number | null)[]]
type StepJson = { readonly s?: Record<string, string>; readonly r?: Record<string, RoomEntry> }

/** Returns the short name of a selection. */
export function selectionName(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 12)
}

/** Returns the state after a step. */
export function stateAfter(before: ConnectionState, step: Step, isWhole = false): ConnectionState {
  const rooms = new Map(isWhole ? [] : before.rooms)
  for (const [roomId, room] of step.rooms) rooms.set(roomId, room)
  const selections = new Map(isWhole ? [] : before.selections)
  for (const [name, text] of step.selections) selections.set(name, text)
  return { rooms, selections, steps: isWhole ? 0 : before.steps + 1 }
}

/** Returns whether the step after a state is to be written as a whole. */
export function isWholeDue({ steps }: ConnectionState): boolean {
  return steps >= MAX_STEPS
}

/** Returns a whole state as one step; selections that no room has any more are left out. */
export function wholeStep({ rooms, selections }: ConnectionState): Step {
  const used = new Set([...rooms.values()].map(({ selection }) => selection))
  let length = 0
  const kept = [...selections].filter(([name, text]) => {
    if (!used.has(name) || length + text.length > MAX_SELECTION_TEXT) return false
    length += text.length
    return true
  })
  return { rooms, selections: new Map(kept) }
}

/** Returns whether the text of one more selection is kept. */
export function hasSpaceFor({ selections }: Pick<ConnectionState, 'selections'>, text: string): boolean {
  let length = text.length
  for (const known of selections.values()) length += known.length
  return length <= MAX_SELECTION_TEXT
}

/** Returns a step as JSON. */
export function encodeStep({ rooms, selections }: Step): string {
  const entries = [...rooms].map(([roomId, { selection, timelineLimit, isDm, upTo, receipts, accountData }]) => {
    const positions = [upTo, receipts, accountData].map((position) => position ?? null)
    while (positions.at(-1) === null) positions.pop()
    return [roomId, [selection, timelineLimit, isDm ? 1 : 0, ...positions]] as const
  })
  return JSON.stringify({
    ...(selections.size > 0 ? { s: Object.fromEntries(selections) } : {}),
    ...(rooms.size > 0 ? { r: Object.fromEntries(entries) } : {}),
  })
}

/** Returns the step that {@link encodeStep} encoded. */
export function decodeStep(text: string): Step {
  const { s = {}, r = {} } = JSON.parse(text) as StepJson
  const rooms = Object.entries(r).map(
    ([roomId, [selection, timelineLimit, isDm, upTo, receipts, accountData]]): [RoomId, SentRoom] => [
      roomId as RoomId,
      {
        selection,
        timelineLimit,
        isDm: isDm === 1,
        ...(typeof upTo === 'number' ? { upTo } : {}),
        ...(typeof receipts === 'number' ? { receipts } : {}),
        ...(typeof accountData === 'number' ? { accountData } : {}),
      },
    ],
  )
  return { rooms: new Map(rooms), selections: new Map(Object.entries(s)) }
}
