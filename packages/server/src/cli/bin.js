#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Plain JavaScript that an old Node can run too: it hands over to a recent one, which reads TypeScript as it is.
import { onRecentNode } from '../recent-node.js'

await onRecentNode(import.meta.url, async () => {
  const { keepCompiled, restartLean } = await import('../lean.js')
  if (process.argv[2] === 'start') restartLean()
  keepCompiled()
  await import('./main.ts')
})
