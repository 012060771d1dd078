// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'

/**
 * Runs types, lint, format, package ranks, house rules, documents and dead code, and exits with 1 if one fails. Tests
 * are `npm test`.
 */
const steps: readonly (readonly [string, readonly string[]])[] = [
  ['tsc', ['--noEmit']],
  ['oxlint', ['--type-aware', '--quiet']],
  ['biome', ['format', '.']],
  ['node', ['scripts/check-floors.ts']],
  ['node', ['scripts/check-house.ts']],
  ['node', ['scripts/check-docs.ts']],
  ['node', ['scripts/check-generated.ts']],
  ['knip', ['--no-progress', '--cache', '--cache-location', 'node_modules/.cache/knip']],
  ['node', ['scripts/check-unused-files.ts']],
  ['node', ['scripts/check-endpoints.ts']],
]
const failed = steps.filter(([command, args]) => {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  return status !== 0
})
for (const [command, args] of failed) console.error(`failed: ${command} ${args.join(' ')}`)
process.exitCode = failed.length > 0 ? 1 : 0
