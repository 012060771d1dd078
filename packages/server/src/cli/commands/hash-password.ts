// SPDX-License-Identifier: Apache-2.0
import { hash } from '@node-rs/argon2'
import { askPassword } from '../terminal/ask.ts'
import { command } from '../terminal/command.ts'

/** Prints the Argon2id hash of a password, in the form the database keeps it. */
export const hashPassword = command({
  name: 'hash-password',
  summary: 'Print the hash of a password, as the database keeps it.',
  options: {
    password: {
      type: 'string',
      short: 'p',
      value: 'PASSWORD',
      about: 'The password. Without it, it is asked for, or read from standard input.',
    },
  },
  async run({ password }) {
    console.log(await hash(password ?? (await askPassword())))
  },
})
