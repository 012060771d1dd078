// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

/** Returns a TCP port of loopback that is free at this moment. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', resolve)
  })
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
