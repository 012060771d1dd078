// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { clientUrlOf } from '../cli/commands/register-user.ts'
import { writeNewServer } from '../cli/commands/new-server.ts'
import { ConfigError } from '../config/fault.ts'
import { loadConfig } from '../config/load.ts'
import { start } from '../start.ts'

/** Runs `npm start`: a server in `data/`, created on the first run. */
const configFile = 'data/homeserver.yaml'
const publicBaseUrl = 'http://localhost:8008/'

try {
  if (!existsSync(configFile)) {
    writeNewServer({ serverName: 'localhost', configFile, dataDir: 'data', publicBaseUrl })
    console.log(`Made a new server: its configuration is in ${configFile}.`)
  }
  const url = clientUrlOf(loadConfig([configFile]))
  await start([configFile])
  console.log(`Myelin listens at ${url}
Make the first account, in another terminal, with:

    npx myelin register-user --config ${configFile} -u alice --admin
`)
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exit(1)
}
