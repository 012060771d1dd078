// SPDX-License-Identifier: Apache-2.0
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError } from './config/fault.ts'

const OTHERS = 0o007

/** Makes the folder of the media store where it is missing, and takes access to it from other users of the machine. */
export function prepareMediaStore(path: string): void {
  const refuse = (message: string, cause?: unknown) =>
    new ConfigError([{ file: 'configuration', key: 'media_store_path', message }], { cause })
  if (!existsSync(dirname(path)))
    throw refuse(`names ${path}, but there is no folder ${dirname(path)}; create it, or correct the path`)
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    const { mode } = statSync(path)
    if ((mode & OTHERS) !== 0) chmodSync(path, mode & ~OTHERS)
  } catch (cause) {
    throw refuse(`names ${path}, which cannot be used (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, cause)
  }
}
