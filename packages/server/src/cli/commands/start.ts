// SPDX-License-Identifier: Apache-2.0
import { command, configFilesOf, configOption } from '../terminal/command.ts'

/** Runs the server. */
export const startServer = command({
  name: 'start',
  summary: 'Run the server.',
  options: { config: configOption },
  async run(values) {
    const files = configFilesOf(values)
    // The server is most of the program; the other commands start faster without it.
    const { start } = await import('../../start.ts')
    await start(files)
  },
})
