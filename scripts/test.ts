// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'

/** Runs every test file; arguments narrow it to files whose path contains one of them. */
const { globSync } = await import('node:fs')
const wanted = process.argv.slice(2)
const files = globSync('packages/*/src/**/*.test.ts').filter(
  (file) => wanted.length === 0 || wanted.some((part) => file.includes(part)),
)
const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=2', ...files], { stdio: 'inherit' })
process.exitCode = status ?? 1
