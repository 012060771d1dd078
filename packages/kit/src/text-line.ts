// SPDX-License-Identifier: Apache-2.0

interface Line {
  readonly time: unknown
  readonly level: unknown
  readonly msg?: unknown
  readonly [field: string]: unknown
}

interface LoggedError {
  readonly stack?: string
  readonly message?: string
}

/**
 * Returns a readable line for a JSON log line: time, level, message, fields, and the stack of an error below it.
 *
 * Control characters of fields and message are escaped, so that client input cannot imitate a log line.
 */
export function textLineOf(jsonLine: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(jsonLine) as Line
  const parts = [
    printed(time),
    printed(level).toUpperCase().padEnd(5),
    typeof msg === 'string' ? harmless(msg) : printed(msg ?? ''),
  ]
  for (const [name, value] of Object.entries(fields)) parts.push(`${harmless(name)}=${printed(value)}`)
  return `${parts.join(' ')}\n${err === undefined || err === null ? '' : stackOf(err)}`
}

function printed(value: unknown): string {
  return typeof value === 'string' && /^[\w:/.@!$#+-]+$/.test(value) ? value : harmless(JSON.stringify(value))
}

function stackOf(err: unknown): string {
  const { stack, message } = err as LoggedError
  const lines = (stack ?? message ?? JSON.stringify(err)).split('\n')
  return lines.map((line) => `    ${harmless(line)}\n`).join('')
}

function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)!.toString(16)}}`
  })
}
