// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'

/**
 * `npm run nightly`: runs all tests at full length, then crashes, power losses and convergence with fresh seeds. Takes one to
 * two hours. Exits with 1 if a step fails; each prints the command that repeats it.
 */
const CRASH = 'packages/testing/src/crash/crash.ts'
const steps: readonly (readonly string[])[] = [
  ['scripts/test.ts', '--full'],
  [CRASH, '--kills', '50'],
  [CRASH, '--kills', '50', '--database', 'postgres'],
  [CRASH, '--power-loss', '--kills', '40'],
  [CRASH, '--power-loss', '--points', '--kills', '3'],
  ['packages/testing/src/crash/crash-joins.ts', '--rounds', '3'],
  ['scripts/converge.ts', '--seeds', '1000', '--from', String(1_000 * (Math.floor(Date.now() / 86_400_000) % 10_000))],
]
const failed = steps.filter((args) => {
  console.log(`\n> node ${args.join(' ')}`)
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0
})
for (const args of failed) console.error(`failed: node ${args.join(' ')}`)
process.exitCode = failed.length > 0 ? 1 : 0
