// SPDX-License-Identifier: Apache-2.0
// The program of `npm start`: it runs `main.ts` in a process with V8's flags for a server.
import { onRecentNode } from '../recent-node.js'

await onRecentNode(import.meta.url, async () => {
  const { keepCompiled, restartLean } = await import('../lean.js')
  restartLean()
  keepCompiled()
  await import('./main.ts')
})
