// SPDX-License-Identifier: Apache-2.0
import { AsyncLocalStorage } from 'node:async_hooks'
import pino from 'pino'
import { textLineOf } from './text-line.ts'

/** The log levels, most verbose first: each includes those after it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** `json` for machines, one object a line; `text` for people. */
export type LogFormat = 'json' | 'text'

/** The fields of a line. An error is the field `err`, with its stack and causes. */
type LogFields = Readonly<Record<string, unknown>>

/** The log of the server. Never log a password, a token or the content of a message. */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** A log that adds `fields` to every line. */
  child(fields: LogFields): Log
}

/** Receives lines, each with its line break. */
export interface LogSink {
  write(line: string): void
}

/** A log whose level can be changed, with that of every log made from it. */
export interface AdjustableLog extends Log {
  setLevel(level: LogLevel): void
}

/** Returns a log that writes lines of one `format` from `level` up. Its lines have the fields of {@link withLogFields}. */
export function createLog({ level, format }: { level: LogLevel; format: LogFormat }, sink: LogSink): AdjustableLog {
  const options: pino.LoggerOptions = {
    level: 'debug',
    base: null,
    // pino writes the fields of the line into the object it is given.
    mixin: () => ({ ...context.getStore() }),
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  }
  const printed = format === 'json' ? sink : { write: (line: string) => sink.write(textLineOf(line)) }
  return new LevelLog(pino(options, printed), { least: ORDER[level] })
}

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** A log that shares its level with its children; those of pino have levels of their own. */
class LevelLog implements AdjustableLog {
  readonly #lines: Log
  readonly #level: { least: number }

  constructor(lines: Log, level: { least: number }) {
    this.#lines = lines
    this.#level = level
  }

  debug(fields: LogFields, message: string): void {
    if (this.#level.least <= ORDER.debug) this.#lines.debug(fields, message)
  }
  info(fields: LogFields, message: string): void {
    if (this.#level.least <= ORDER.info) this.#lines.info(fields, message)
  }
  warn(fields: LogFields, message: string): void {
    if (this.#level.least <= ORDER.warn) this.#lines.warn(fields, message)
  }
  error(fields: LogFields, message: string): void {
    this.#lines.error(fields, message)
  }
  child(fields: LogFields): Log {
    return new LevelLog(this.#lines.child(fields), this.#level)
  }
  setLevel(level: LogLevel): void {
    this.#level.least = ORDER[level]
  }
}

const context = new AsyncLocalStorage<LogFields>()

/** Calls `run` and returns its result; every line it logs has these fields, also after it has awaited something. */
export function withLogFields<Result>(fields: LogFields, run: () => Result): Result {
  return context.run(fields, run)
}

/** Returns the fields of the {@link withLogFields} under way; undefined outside of it. */
export function presentLogFields(): LogFields | undefined {
  return context.getStore()
}

/** A log that discards everything. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
}
