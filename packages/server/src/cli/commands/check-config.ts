// SPDX-License-Identifier: Apache-2.0
import { loadConfig } from '../../config/load.ts'
import { command, configFilesOf, configOption } from '../terminal/command.ts'

/** Prints all faults of a configuration, or that there are none. */
export const checkConfig = command({
  name: 'check-config',
  summary: 'Say everything that is wrong with the configuration.',
  options: { config: configOption },
  async run(values) {
    const { notices, serverName } = loadConfig(configFilesOf(values))
    for (const notice of notices) console.log(`note: ${notice}`)
    console.log(`The configuration of ${serverName} is in order.`)
  },
})
