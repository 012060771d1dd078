// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { systemRandom } from '@myelin/kit/random'
import { writeSigningKey } from '../../config/values/signing-key.ts'
import { CommandError, command, UsageError } from '../terminal/command.ts'

/** Writes a signing key where there is none. */
export const generateSigningKey = command({
  name: 'generate-signing-key',
  summary: 'Write a signing key; an old server keeps the one it has.',
  options: { output: { type: 'string', short: 'o', value: 'FILE', about: 'The file to write.' } },
  async run({ output }) {
    if (!output) throw new UsageError('say where the key goes: --output FILE')
    if (existsSync(output)) throw new CommandError(`${output} is there already, and is not written over`)
    const { id } = writeSigningKey(output, systemRandom)
    console.log(`The key ${id} is in ${output}.`)
  },
})
