// SPDX-License-Identifier: Apache-2.0
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError } from './config/fault.ts'

const OTHERS = 0o007

/**
 * Checks the place of the media store, before anything is written.
 *
 * @throws ConfigError if it is no folder, or cannot be created
 */
export function checkMediaStore(path: string): void {
  if (!existsSync(dirname(path)))
    throw refusal(`names ${path}, but there is no folder ${dirname(path)}; create it, or correct the path`)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false)
    throw refusal(`names ${path}, which is not a folder; name another one`)
}

/** Creates the folder of the media store if it is missing, and removes access of other users of the machine. */
export function prepareMediaStore(path: string): void {
  checkMediaStore(path)
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    const { mode } = statSync(path)
    if ((mode & OTHERS) !== 0) chmodSync(path, mode & ~OTHERS)
  } catch (cause) {
    throw refusal(`names ${path}, which cannot be used (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, cause)
  }
}

function refusal(message: string, cause?: unknown): ConfigError {
  return new ConfigError([{ file: 'configuration', key: 'media_store_path', message }], { cause })
}
