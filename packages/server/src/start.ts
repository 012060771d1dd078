// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8'
import { systemClock } from '@myelin/kit/clock'
import { compose } from './compose.ts'
import { loadConfig } from './config/load.ts'
import { reload } from './reload.ts'

const STOP_WITHIN_MS = 10_000

/**
 * Runs the server that these files describe; resolves when it listens. SIGTERM and SIGINT stop it once requests in progress
 * have ended, SIGHUP reloads. A signal during the start takes effect when the start has ended.
 */
export async function start(files: readonly string[]): Promise<void> {
  let onHangup = (): void => undefined
  let stop = (): void => undefined
  let isStopping = false
  const onStop = () => {
    if (isStopping) return
    isStopping = true
    // A request that never ends must not delay the exit: acknowledged data is on disk already.
    systemClock.later(STOP_WITHIN_MS, () => process.exit(0))
    stop()
  }
  process.on('SIGHUP', () => onHangup())
  process.on('SIGTERM', onStop)
  process.on('SIGINT', onStop)
  const config = loadConfig(files)
  const server = await compose(config)
  onHangup = () => reload(config, () => loadConfig(files), server.reloadable)
  stop = () => {
    server.rt.log.info({}, 'stopping')
    void server.close().then(() => process.exit(0))
  }
  if (isStopping) stop()
  // The start leaves little behind; from here on the young generation may grow with the load. See `lean.js`.
  setFlagsFromString('--semi-space-growth-factor=2')
  // Once, before the first request: in a quiet server the garbage of the start would stay resident for hours.
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
