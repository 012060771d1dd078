// SPDX-License-Identifier: Apache-2.0
import { DatabaseUnavailable } from '@myelin/storage/engine/unavailable'

const DISK = 'the disk of the server is full or cannot be written'
const FILES = 'the server has too many files open'

/** System errors that no request causes, and that end by themselves or when the admin acts. */
const SYSTEM_OUTAGES: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', DISK],
  ['EDQUOT', DISK],
  ['EFBIG', DISK],
  ['EROFS', DISK],
  ['EIO', DISK],
  ['EMFILE', FILES],
  ['ENFILE', FILES],
])

/** Returns in words what the server lacks at the moment, where something failed for that; undefined for any other error. */
export function outageOf(error: unknown): string | undefined {
  if (error instanceof DatabaseUnavailable) return error.message
  const { code, syscall } = error as NodeJS.ErrnoException
  return syscall === undefined ? undefined : SYSTEM_OUTAGES.get(code ?? '')
}
