// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { command, UsageError } from '../terminal/command.ts'
import { writeNewServer } from './new-server.ts'

/** Writes a configuration and a signing key for a new server. */
export const generateConfig = command({
  name: 'generate-config',
  summary: 'Write the configuration and the signing key of a new server.',
  options: {
    'server-name': {
      type: 'string',
      value: 'NAME',
      about: 'What stands after the colon in user ids; it can never change.',
    },
    config: { type: 'string', short: 'c', value: 'FILE', about: 'The file to write. Default: homeserver.yaml.' },
    'data-dir': {
      type: 'string',
      value: 'FOLDER',
      about: 'Where the database, the media and the signing key go. Default: this folder.',
    },
  },
  async run({ 'server-name': serverName, config: configFile = 'homeserver.yaml', 'data-dir': dataDir = '.' }) {
    if (!serverName) throw new UsageError('say what the server is called: --server-name NAME')
    const { keyFile } = writeNewServer({ serverName, configFile, dataDir: resolve(dataDir) })
    console.log(`The configuration is in ${configFile}.
The signing key is in ${keyFile}: keep a copy of it.
Start the server with: myelin start --config ${configFile}`)
  },
})
