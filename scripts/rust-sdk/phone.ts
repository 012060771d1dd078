// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '@myelin/testing/clients/room-client'

type Process = ChildProcessByStdio<Writable, Readable, null>

// They must not outlive this program.
const processes = new Set<Process>()
process.once('exit', () => {
  for (const each of processes) each.kill('SIGKILL')
})

/** A room as the room list shows it. */
export interface ShownRoom {
  readonly id: string
  readonly membership: 'Joined' | 'Invited' | 'Knocked'
  readonly name: string
  readonly topic: string | null
  readonly isEncrypted: boolean
  readonly isDirect: boolean
  readonly isFavourite: boolean
  readonly isMarkedUnread: boolean
  readonly joined: number
  readonly invited: number
  readonly unread: number
  readonly notifications: number
  readonly mentions: number
  readonly latest: string | null
  readonly inviter: string | null
  readonly pinned: readonly string[] | null
}

/** An item of a timeline. */
export interface ShownEvent {
  readonly id: string | null
  readonly sender: string
  readonly body: string
  readonly isLocal: boolean
  readonly isEdited: boolean
  readonly isEncrypted: boolean
  readonly reactions: Readonly<Record<string, readonly string[]>>
  readonly readers: readonly string[]
  readonly thread: string | null
  readonly replies: number | null
}

/** A process of the client on the Rust SDK, with its store in a folder of its own. */
export class Phone {
  /** The header of its requests, once it has logged in. */
  authorization = ''
  readonly #start: () => Process
  #process: Process
  #lines: AsyncIterator<string>
  /** The last command; the next one waits for it. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(program: string, url: string, folder: string, name: string) {
    this.#start = () => {
      const started = spawn(program, [url, join(folder, name)], { stdio: ['pipe', 'pipe', 'inherit'] })
      processes.add(started)
      started.once('exit', () => processes.delete(started))
      return started
    }
    this.#process = this.#start()
    this.#lines = linesOf(this.#process)
  }

  /** Logs a user in. */
  async logIn(user: string, password: string): Promise<void> {
    const answer = await this.ask<{ token: string; slidingSync: string }>('login', { user, password })
    if (answer.slidingSync !== 'Native') throw new Error('the SDK does not find sliding sync in /versions')
    this.authorization = `Bearer ${answer.token}`
  }

  /**
   * Sends a command and returns its result.
   *
   * @throws Error with the error of the SDK
   */
  ask<T = unknown>(command: string, parameters: object = {}): Promise<T> {
    const next = this.#last.then(async () => {
      this.#process.stdin.write(`${JSON.stringify({ do: command, ...parameters })}\n`)
      const { value, done } = await within(command, this.#lines.next())
      if (done === true) throw new Error(`${command}: the client ended`)
      const answer = JSON.parse(value) as { readonly ok?: T; readonly error?: string }
      if (answer.error !== undefined) throw new Error(`${command}: ${answer.error}`)
      return answer.ok as T
    })
    this.#last = next.catch(() => {})
    return next
  }

  /** Returns a room of the room list once it fits. */
  async room(id: string, fits: (room: ShownRoom) => boolean = () => true): Promise<ShownRoom> {
    return this.#once(`room ${id} in the room list`, async () => {
      const room = (await this.ask<readonly ShownRoom[]>('rooms')).find((each) => each.id === id)
      return [room, room !== undefined && fits(room)]
    })
  }

  /** Returns once the room list does not show a room. */
  async lacks(id: string): Promise<void> {
    await this.#once(`no room ${id} in the room list`, async () => {
      const rooms = await this.ask<readonly ShownRoom[]>('rooms')
      return [rooms.length, rooms.every((each) => each.id !== id)]
    })
  }

  /** Returns a message of an open room once it has reached the server and fits. */
  async reads(room: string, body: string, fits: (event: ShownEvent) => boolean = () => true): Promise<ShownEvent> {
    return this.#once(`"${body}" in room ${room}`, async () => {
      const events = await this.ask<readonly ShownEvent[]>('timeline', { room })
      const found = events.find((each) => each.body === body)
      return [found ?? (events as never), found !== undefined && !found.isLocal && fits(found)]
    })
  }

  /** Returns once a command's result fits. */
  async sees<T>(command: string, parameters: object, fits: (result: T) => boolean): Promise<void> {
    await this.#once(command, async () => {
      const result = await this.ask<T>(command, parameters)
      return [result, fits(result)]
    })
  }

  /** Returns once exactly these users type in an open room. */
  async seesTyping(room: string, ...users: readonly string[]): Promise<void> {
    await this.#once(`${users.length} typing in room ${room}`, async () => {
      const typing = await this.ask<readonly string[]>('typing', { room })
      return [typing, typing.join() === users.join()]
    })
  }

  /** Returns once the sync service is in a state. */
  async is(state: 'Running' | 'Offline'): Promise<void> {
    await this.#once(`state ${state}`, async () => {
      const seen = await this.ask<{ readonly service: string; readonly list: string }>('state')
      return [seen, seen.service === state && (state !== 'Running' || seen.list === 'Running')]
    })
  }

  /** Ends the process without warning and starts it again with its store. */
  async reopen(): Promise<void> {
    await this.kill()
    this.#process = this.#start()
    this.#lines = linesOf(this.#process)
    await this.ask('restore')
    await this.ask('start')
  }

  /** Ends the process without warning. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }

  /** Asks until the second value is true; the error shows the last first value. */
  async #once<T>(what: string, ask: () => Promise<readonly [T | undefined, boolean]>): Promise<T> {
    let seen: T | undefined
    const attempt = async () => {
      const [value, isDone] = await ask()
      seen = value
      return isDone ? { value } : undefined
    }
    const found = await until(what, attempt, 30_000).catch((cause: unknown) => {
      throw new Error(`${(cause as Error).message}; last seen: ${JSON.stringify(seen)}`)
    })
    return found.value as T
  }
}

/** Rejects if a command takes longer than a minute. */
function within<T>(command: string, answer: Promise<T>): Promise<T> {
  const late = delay(60_000, undefined, { ref: false }).then(() => {
    throw new Error(`${command}: no answer within a minute`)
  })
  return Promise.race([answer, late])
}

function linesOf({ stdout }: Process): AsyncIterator<string> {
  return createInterface({ input: stdout })[Symbol.asyncIterator]()
}
