// SPDX-License-Identifier: Apache-2.0
import { compose } from './compose.ts'
import { loadConfig } from './config/load.ts'

/** Runs the server that these files describe; resolves when it listens. SIGTERM and SIGINT stop it after what is under way. */
export async function start(files: readonly string[]): Promise<void> {
  const house = await compose(loadConfig(files))
  let isStopping = false
  const stop = () => {
    if (isStopping) return
    isStopping = true
    house.rt.log.info({}, 'stopping')
    void house.close().then(() => process.exit(0))
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
