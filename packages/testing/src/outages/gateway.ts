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
  /** Stops forwarding in both directions without closing connections, as when a server hangs. */
  freeze(): void
  /** Passes on what was held back, and what comes. */
  thaw(): void
  /** Drops from now on what the present connections carry, and breaks nothing; new connections work. */
  lose(): void
  /** Breaks a connection, once, in place of passing on bytes with this text; `from` says on which side they were sent. */
  cutAt(text: string, from: Side): void
  /** Stops forwarding, once, in place of passing on bytes with this text. */
  freezeAt(text: string, from: Side): void
  /** Resolves when a client connects. */
  nextConnection(): Promise<void>
}

/** The side of a gateway: the client or the server. */
type Side = 'client' | 'server'

interface Connection {
  readonly near: Socket
  readonly far: Socket
  isLost: boolean
}

/** Opens a gateway to the server that a URL names. */
export async function openGateway(url: string): Promise<Gateway> {
  const target = new URL(url)
  const connections = new Set<Connection>()
  let isFrozen = false
  let cut: { readonly text: string; readonly from: Side; readonly freezes: boolean } | undefined
  let connected = Promise.withResolvers<void>()
  const pass = (near: Socket) => {
    connected.resolve()
    connected = Promise.withResolvers()
    const connection = { near, far: connect(Number(target.port), target.hostname), isLost: false }
    connections.add(connection)
    join(connection, 'client', near, connection.far)
    join(connection, 'server', connection.far, near)
  }
  const join = (connection: Connection, side: Side, from: Socket, to: Socket) => {
    if (isFrozen) from.pause()
    from.on('data', (bytes) => {
      if (connection.isLost) return
      if (cut?.from !== side || !bytes.includes(cut.text)) return void to.write(bytes)
      const { freezes } = cut
      cut = undefined
      if (!freezes) return void connection.near.destroy()
      freeze()
      from.unshift(bytes)
    })
    from.on('error', () => to.destroy())
    from.on('close', () => {
      connections.delete(connection)
      to.destroy()
    })
  }
  const freeze = () => {
    isFrozen = true
    for (const { near, far } of connections) for (const socket of [near, far]) socket.pause()
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
      for (const { near, far } of connections) for (const socket of [near, far]) socket.destroy()
      await closed
    },
    freeze,
    thaw: () => {
      isFrozen = false
      for (const { near, far } of connections) for (const socket of [near, far]) socket.resume()
    },
    lose: () => {
      for (const connection of connections) connection.isLost = true
    },
    cutAt: (text, from) => void (cut = { text, from, freezes: false }),
    freezeAt: (text, from) => void (cut = { text, from, freezes: true }),
    nextConnection: () => connected.promise,
  }
}
