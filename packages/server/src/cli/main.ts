// SPDX-License-Identifier: Apache-2.0
import { ConfigError } from '../config/fault.ts'
import { nearestOf } from '../config/nearest.ts'
import { type Command, CommandError, helpOf, UsageError } from './terminal/command.ts'
import { checkConfig } from './commands/check-config.ts'
import { checkDatabase } from './commands/check-database.ts'
import { generateConfig } from './commands/generate-config.ts'
import { generateSigningKey } from './commands/generate-signing-key.ts'
import { hashPassword } from './commands/hash-password.ts'
import { registerUser } from './commands/register-user.ts'
import { startServer } from './commands/start.ts'

const commands: ReadonlyMap<string, Command> = new Map(
  [generateConfig, startServer, registerUser, checkConfig, checkDatabase, hashPassword, generateSigningKey].map(
    (one) => [one.name, one],
  ),
)

const code = await run(process.argv.slice(2))
// A server that could not start may have opened things that would keep the process alive.
if (code !== 0) process.exit(code)

async function run([name = '--help', ...args]: readonly string[]): Promise<number> {
  const wanted = name === 'help' ? args[0] : name
  if (wanted === undefined || wanted === '--help' || wanted === '-h') return say(overview())
  const command = commands.get(wanted)
  if (!command) return complain(unknown(wanted), 2)
  if (name === 'help' || args.includes('--help') || args.includes('-h')) return say(helpOf(command))
  try {
    await command.run(args)
    return 0
  } catch (error) {
    if (error instanceof UsageError) return complain(`${error.message}\n\n${helpOf(command)}`, 2)
    if (error instanceof CommandError || error instanceof ConfigError) return complain(error.message, 1)
    throw error
  }
}

function overview(): string {
  const width = Math.max(...[...commands.keys()].map((name) => name.length))
  const lines = [...commands.values()].map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return `Myelin, a Matrix homeserver\n
usage: myelin COMMAND [options]\n
${lines.join('\n')}\n
myelin COMMAND --help says more about each.\n`
}

function unknown(name: string): string {
  const nearest = nearestOf(name, commands.keys())
  return `myelin: there is no command ${name}${nearest ? `; did you mean ${nearest}?` : '; see myelin --help'}`
}

function say(text: string): number {
  console.log(text.trimEnd())
  return 0
}

function complain(text: string, code: number): number {
  console.error(text.trimEnd())
  return code
}
