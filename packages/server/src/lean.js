// SPDX-License-Identifier: Apache-2.0
// Plain JavaScript, because it runs before anything else is loaded, and what it turns on is for all of that.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

/**
 * How V8 shall keep house for a server; `docs/decisions/0033-limit-heap-growth.md` says what each does and costs.
 *
 * The young generation stays as small as it begins until the server listens (`start.ts` then lets it grow), to 16 MiB
 * at the most; the old one grows by half at a time. `gc` is for the one collection at the end of the start.
 */
const FLAGS = ['--max-semi-space-size=16', '--heap-growing-percent=50', '--expose-gc']
const WHILE_STARTING = '--semi-space-growth-factor=1'

/** Keeps what was compiled, our types stripped, for the next start; where that folder cannot be written it is not kept. */
export function keepCompiled() {
  enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/myelin', import.meta.url)))
}

/**
 * Begins this process anew with V8's flags for a server, under the same number and with the same arguments; returns where
 * it has them (or others that somebody chose), and where the system cannot do that.
 */
export function restartLean() {
  const chosen = `${process.execArgv.join(' ')} ${process.env['NODE_OPTIONS'] ?? ''}`
  if (chosen.includes(FLAGS[0] ?? '')) setFlagsFromString(WHILE_STARTING)
  if (chosen.includes('semi-space') || process.execve === undefined || process.platform === 'win32') return
  process.execve(process.execPath, [process.execPath, ...FLAGS, ...process.execArgv, ...process.argv.slice(1)])
}
