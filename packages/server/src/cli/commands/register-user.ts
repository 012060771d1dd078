// SPDX-License-Identifier: Apache-2.0
import { loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import { ask, askPassword } from '../terminal/ask.ts'
import { CommandError, command, configFilesOf, configOption, UsageError } from '../terminal/command.ts'
import { registerWithSecret } from './shared-secret.ts'

/** Makes an account on the server that is running, whether or not registration is open. */
export const registerUser = command({
  name: 'register-user',
  summary: 'Make an account on the running server.',
  options: {
    config: configOption,
    user: { type: 'string', short: 'u', value: 'NAME', about: 'The name, without @ and server.' },
    password: {
      type: 'string',
      short: 'p',
      value: 'PASSWORD',
      about: 'The password. Without it, it is asked for, or read from standard input.',
    },
    admin: { type: 'boolean', short: 'a', about: 'Whether the account may administer the server. Default: no.' },
    url: { type: 'string', value: 'URL', about: 'Where the server is. Default: its first listener for clients.' },
  },
  async run(values) {
    const files = configFilesOf(values)
    if (!values.user) throw new UsageError('say what the account is called: --user NAME')
    const config = loadConfig(files)
    const { sharedSecret } = config.registration
    if (!sharedSecret) throw new CommandError(`registration_shared_secret is not set in ${files.join(', ')}`)
    const password = values.password ?? (await askPassword())
    const isAdmin = values.admin ?? (await asksForAdmin())
    const account = { name: values.user, password, isAdmin }
    const userId = await registerWithSecret(values.url ?? clientUrlOf(config), sharedSecret, account)
    console.log(`Made the account ${userId}${isAdmin ? ', an admin' : ''}.`)
  },
})

/**
 * Returns the URL of the client API on this machine. Plain listeners come first, because a certificate is not issued
 * for a loopback address.
 */
export function clientUrlOf({ listeners, baseUrl }: Pick<Config, 'listeners' | 'baseUrl'>): string {
  const plain = listeners.find((listener) => listener.serves.includes('client') && !listener.tls)
  if (!plain) return baseUrl
  const address = plain.addresses.includes('0.0.0.0') ? '127.0.0.1' : plain.addresses[0]!
  const host = address === '::' ? '[::1]' : address.includes(':') ? `[${address}]` : address
  return `http://${host}:${plain.port}/`
}

async function asksForAdmin(): Promise<boolean> {
  const answer = await ask('Shall it be an admin? [no] ')
  return answer !== undefined && /^y(es)?$/i.test(answer.trim())
}
