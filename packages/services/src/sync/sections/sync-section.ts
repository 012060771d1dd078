// SPDX-License-Identifier: Apache-2.0
import type { SyncScope } from '../sync-scope.ts'

/** One member of a `/sync` response. A response is the list of its sections: see `sections.ts`. */
export interface SyncSection {
  /** Its path in the response: a member, or a member of `rooms`. */
  readonly path: readonly [string] | readonly ['rooms', string]
  /** Its value without changes, shared by all such responses. If undefined, the member is left out. */
  readonly unchanged?: Readonly<Record<string, unknown>>
  /** Changes of this section alone do not answer a waiting client. */
  readonly isQuiet?: boolean
  /** Returns the section's value; undefined if it has no changes in the slice. */
  changes(scope: SyncScope): Promise<unknown>
}

/** Returns a section's value, or undefined if it has no entries. */
export function unlessEmpty<Value extends object>(value: Value): Value | undefined {
  return Object.keys(value).length > 0 ? value : undefined
}

/** Returns `{ events }`, or undefined if there are none. */
export function eventList(events: readonly unknown[]): { readonly events: readonly unknown[] } | undefined {
  return events.length > 0 ? { events } : undefined
}
