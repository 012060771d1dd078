// SPDX-License-Identifier: Apache-2.0
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/** The way to a server, which a test can close and open: connections through it break as they do when the server goes. */
export interface Gateway {
  /** The URL it was opened for, with its own address in place of the server's. */
  readonly url: string
  /** Breaks all connections, and refuses new ones. */
  shut(): Promise<void>
  /** Takes connections again, at the same address. */
  open(): Promise<void>
  /** Passes nothing on in either direction from now on, and breaks nothing. */
  freeze(): void
}

/** Opens a gateway to the server that a URL names. */
export async function openGateway(url: string): Promise<Gateway> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let isFrozen = false
  const pass = (near: Socket) => {
    const far = connect(Number(target.port), target.hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => isFrozen || to.write(bytes))
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  }
  let server: Server
  let port = 0
  const open = async () => {
    isFrozen = false
    server = createServer(pass)
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  }
  await open()
  const own = new URL(url)
  own.hostname = '127.0.0.1'
  own.port = String(port)
  return {
    url: own.toString(),
    open,
    shut: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
    freeze: () => void (isFrozen = true),
  }
}
