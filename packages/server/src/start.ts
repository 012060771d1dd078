// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8'
import { systemClock } from '@myelin/kit/clock'
import { compose } from './compose.ts'
import { loadConfig } from './config/load.ts'
import { reload } from './reload.ts'

const STOP_WITHIN_MS = 10_000

/** Runs the server that these files describe; resolves when it listens. SIGTERM and SIGINT stop it after what is under way, SIGHUP reloads. */
export async function start(files: readonly string[]): Promise<void> {
  // A signal that comes during the start must not end it.
  let onHangup = (): void => undefined
  process.on('SIGHUP', () => onHangup())
  const config = loadConfig(files)
  const house = await compose(config)
  onHangup = () => reload(config, () => loadConfig(files), house.reloadable)
  // What the start left behind is small; from here on it may grow as the load wants. See `lean.js`.
  setFlagsFromString('--semi-space-growth-factor=2')
  let isStopping = false
  const stop = () => {
    if (isStopping) return
    isStopping = true
    house.rt.log.info({}, 'stopping')
    // A caller that never finishes must not keep the server: what was acknowledged is on disk already.
    systemClock.later(STOP_WITHIN_MS, () => process.exit(0))
    void house.close().then(() => process.exit(0))
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
