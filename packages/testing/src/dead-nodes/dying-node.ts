// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Starts a node in a process of its own that holds a reader's lease for ever; the answer kills it with SIGKILL. */
export async function dyingNode(url: string, reader: string): Promise<() => Promise<void>> {
  const file = fileURLToPath(new URL('lease-holder.ts', import.meta.url))
  const node = spawn(process.execPath, [file, url, reader], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(node, 'exit')
  const [said] = (await once(node.stdout, 'data')) as [Buffer]
  if (String(said) !== 'held') throw new Error(`the lease was ${String(said)}`)
  return async () => {
    node.kill('SIGKILL')
    await gone
  }
}
