// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util'
import { audioCalls } from './livekit/audio-calls.ts'
import { elementCalls } from './livekit/element-call.ts'
import { installParts, versionsOf } from './livekit/parts.ts'
import { callsOfTwoServers } from './livekit/two-servers.ts'
import { Stage } from './livekit/stage.ts'

/**
 * Holds calls over a real LiveKit SFU with real browsers, whose tokens a Myelin issues. The SFU is built and the packages
 * for the browser are installed into a cache folder at the first run; where that cannot be, nothing runs. `--only WORDS`
 * runs the scenarios whose names have these words; `--keep` leaves the log of the SFU where it is.
 */

const { values } = parseArgs({ options: { only: { type: 'string' }, keep: { type: 'boolean', default: false } } })

const parts = installParts()
if (typeof parts === 'string') {
  console.log(`Skipped: ${parts}.`)
  process.exit(0)
}
console.log(versionsOf(parts))
const stage = await Stage.open(parts)
try {
  let failed = 0
  for (const [name, run] of [...audioCalls, ...callsOfTwoServers, ...elementCalls]) {
    if (values.only !== undefined && !name.includes(values.only)) continue
    if (!(await works(name, () => run(stage)))) failed++
    await stage.closeBrowsers()
  }
  console.log(failed === 0 ? '\nEverything works.' : `\n${failed} do not work.`)
  process.exitCode = failed === 0 ? 0 : 1
} finally {
  await stage.close(values.keep)
  if (values.keep) console.log(`The log of the SFU is in ${stage.folder}`)
}

/** Runs one scenario and prints its result. */
async function works(name: string, run: () => Promise<string>): Promise<boolean> {
  const started = performance.now()
  const result = await run().then(
    (report) => ({ isGood: true, report }),
    (cause: unknown) => ({
      isGood: false,
      report: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
    }),
  )
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`  ${result.isGood ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)\n       ${result.report}`)
  return result.isGood
}
