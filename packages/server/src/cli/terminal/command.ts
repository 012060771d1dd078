// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util'

/** An option of a command, as `node:util` parses it and as the help explains it. */
export interface Option {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  /** The placeholder of the value in the help text. */
  readonly value?: string
  readonly about: string
}

type ValueOf<O extends Option> = O['type'] extends 'boolean' ? boolean : O['multiple'] extends true ? string[] : string

/** The values of the options that were given; the others are absent. */
type Values<Options extends Readonly<Record<string, Option>>> = {
  readonly [Name in keyof Options]?: ValueOf<Options[Name]>
}

/** A subcommand of `myelin`. */
export interface Command {
  readonly name: string
  readonly summary: string
  readonly options: Readonly<Record<string, Option>>
  run(args: readonly string[]): Promise<void>
}

/** A failure the person at the terminal is meant to read; anything else that is thrown is our bug. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** An invalid command line; the help text is printed after the message. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

interface Parts<Options extends Readonly<Record<string, Option>>> {
  readonly name: string
  readonly summary: string
  readonly options: Options
  run(values: Values<Options>): Promise<void>
}

/** Returns a command whose values have the types of its options. */
export function command<const Options extends Readonly<Record<string, Option>>>(parts: Parts<Options>): Command {
  const { name, summary, options } = parts
  return { name, summary, options, run: (args) => parts.run(valuesOf(args, options)) }
}

/** Returns the help text of a command. */
export function helpOf({ name, summary, options }: Command): string {
  const rows = Object.entries(options).map(([long, option]) => [namesOf(long, option), option.about] as const)
  const width = Math.max(...rows.map(([names]) => names.length))
  const lines = rows.map(([names, about]) => `  ${names.padEnd(width)}  ${about}`)
  return `${summary}\n\nusage: myelin ${name} [options]\n\n${lines.join('\n')}\n`
}

/** Returns the named configuration files; throws if there is none. */
export function configFilesOf(values: { readonly config?: readonly string[] }): readonly string[] {
  if (values.config?.length) return values.config
  throw new UsageError('say where the configuration is: --config FILE')
}

/** The option every command has that needs the configuration. */
export const configOption = {
  type: 'string',
  short: 'c',
  multiple: true,
  value: 'FILE',
  about: 'The configuration: a file or a folder of them. Can be repeated; later ones win.',
} as const

function namesOf(long: string, { short, value, type }: Option): string {
  const names = type === 'boolean' ? `--${long}, --no-${long}` : `--${long} ${value ?? 'VALUE'}`
  return short ? `-${short}, ${names}` : `    ${names}`
}

function valuesOf<Options extends Readonly<Record<string, Option>>>(
  args: readonly string[],
  options: Options,
): Values<Options> {
  const config = Object.fromEntries(
    Object.entries(options).map(([long, { type, short, multiple }]) => {
      return [long, { type, ...(short !== undefined && { short }), ...(multiple !== undefined && { multiple }) }]
    }),
  )
  try {
    return parseArgs({ args: [...args], options: config, allowNegative: true }).values as Values<Options>
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
