// SPDX-License-Identifier: Apache-2.0
// Plain JavaScript that an old Node can run too.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The oldest Node that runs our sources without a warning, and passes all tests. */
const OLDEST = [24, 15]

/**
 * Runs `begin` if this Node is recent enough, else the program at `url` with the Node that npm installed.
 *
 * Prints what to do and sets the exit code 1 where there is none: `npm ci --omit=dev` leaves it out.
 */
export async function onRecentNode(url, begin) {
  if (isRecent(process.versions.node)) return begin()
  const pinned = pinnedNode()
  if (pinned === undefined) fail('`npm ci` installs one, `npm ci --omit=dev` does not')
  else handOver(pinned, url)
}

/** Returns whether a version, such as `24.15.0`, is recent enough. */
export function isRecent(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
}

function pinnedNode() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node')
  } catch {
    return undefined
  }
}

function handOver(pinned, url) {
  const child = spawn(pinned, [fileURLToPath(url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail(`the one that npm installed could not be started: ${error.message}`))
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
  })
}

function fail(reason) {
  console.error(`myelin: needs Node ${OLDEST.join('.')} or later, and this is ${process.versions.node}; ${reason}`)
  process.exitCode = 1
}
