// SPDX-License-Identifier: Apache-2.0
// What `npm start` runs: `main.ts`, in a process that keeps house like a server.
import { keepCompiled, restartLean } from './lean.js'

restartLean()
keepCompiled()
await import('./main.ts')
