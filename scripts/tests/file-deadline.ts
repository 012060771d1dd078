// SPDX-License-Identifier: Apache-2.0
import { isMainThread } from 'node:worker_threads'

/**
 * Loaded into the process of each test file (`node --test --import`): ends it after ten minutes, or an hour at full length.
 *
 * A failed test may leave something open, and the process would never end by itself. The runner has no limit for files:
 * `--test-timeout` is one for tests.
 */
const MAX_FILE_MS = (process.env['MYELIN_TEST_LENGTH'] === 'full' ? 60 : 10) * 60_000

// The runner itself loads this too, and its life is as long as that of all files.
if (process.env['NODE_TEST_CONTEXT'] !== undefined && isMainThread) {
  setTimeout(() => {
    console.error(`${process.argv[1]} did not end within ${MAX_FILE_MS / 60_000} min; open: ${openKinds()}`)
    process.exit(1)
  }, MAX_FILE_MS).unref()
}

function openKinds(): string {
  return [...new Set(process.getActiveResourcesInfo())].join(', ')
}
