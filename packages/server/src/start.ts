// SPDX-License-Identifier: Apache-2.0
import { createLog } from '@myelin/kit/log'
import { loadConfig } from './config/load.ts'

/** Runs the server that these files describe; resolves when it listens. */
export async function start(files: readonly string[]): Promise<void> {
  const config = loadConfig(files)
  const log = createLog(config.log)
  for (const notice of config.notices) log.warn({}, notice)
}
