// SPDX-License-Identifier: Apache-2.0

/** A request to the server. `marker` occurs in the content it sends, and nowhere else. */
export type Act =
  | { readonly act: 'send' | 'state'; readonly room: string; readonly marker: string }
  | { readonly act: 'toDevice'; readonly to: string; readonly marker: string }
  | { readonly act: 'upload'; readonly keys: readonly string[] }
  | { readonly act: 'claim'; readonly of: string }
  | { readonly act: 'media'; readonly marker: string }

/** An answer that arrived whole. */
export interface DeedAnswer {
  readonly status: number
  readonly eventId?: string | undefined
  /** The URI of an upload. */
  readonly uri?: string | undefined
  /** The one-time keys that a claim was given. */
  readonly keys?: readonly string[] | undefined
}

/** An act: the number of its attempts (always with the same transaction ID), and the answers. */
export interface Deed {
  readonly serial: number
  readonly user: string
  readonly act: Act
  readonly attempts: number
  readonly answers: readonly DeedAnswer[]
}

type Line =
  | { readonly attempt: number; readonly user: string; readonly act: Act }
  | { readonly answer: number; readonly given: DeedAnswer }

/** Records each attempt before it is made, and each answer before it is used. */
export class Ledger {
  readonly #write: (line: string) => void
  #next = 0

  constructor(write: (line: string) => void) {
    this.#write = write
  }

  /** A number for an act that will be attempted. */
  open(): number {
    return this.#next++
  }

  attempted(serial: number, user: string, act: Act): void {
    this.#put({ attempt: serial, user, act })
  }

  answered(serial: number, given: DeedAnswer): void {
    this.#put({ answer: serial, given })
  }

  #put(line: Line): void {
    this.#write(`${JSON.stringify(line)}\n`)
  }
}

/** Returns the deeds of a ledger's lines, by serial. */
export function readLedger(text: string): Deed[] {
  const deeds = new Map<number, { serial: number; user: string; act: Act; attempts: number; answers: DeedAnswer[] }>()
  for (const written of text.split('\n')) {
    if (written === '') continue
    const line = JSON.parse(written) as Line
    if ('answer' in line) {
      deeds.get(line.answer)?.answers.push(line.given)
      continue
    }
    const { attempt: serial, user, act } = line
    const deed = deeds.get(serial)
    if (deed) deed.attempts++
    else deeds.set(serial, { serial, user, act, attempts: 1, answers: [] })
  }
  return [...deeds.values()]
}

/** Returns the event IDs in the answers to a deed; more than one is a fault. */
export function answeredIds(deed: Deed): string[] {
  const ids = deed.answers.flatMap(({ status, eventId }) => (status === 200 && eventId !== undefined ? [eventId] : []))
  return [...new Set(ids)]
}

/** Returns whether the server acknowledged an act. */
export function isAcknowledged(deed: Deed): boolean {
  return deed.answers.some(({ status }) => status === 200)
}
