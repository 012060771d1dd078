#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Plain JavaScript that an old Node can run too: it hands over to the pinned one, which reads TypeScript as it is.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST = 24

if (Number.parseInt(process.versions.node, 10) >= OLDEST) await begin()
else handOver()

async function begin() {
  const { keepCompiled, restartLean } = await import('../lean.js')
  if (process.argv[2] === 'start') restartLean()
  keepCompiled()
  await import('./main.ts')
}

function handOver() {
  const pinned = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node')
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`myelin: needs Node ${OLDEST} or later, and could not start the one it brings: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
  })
}
