// SPDX-License-Identifier: Apache-2.0
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'

/** A proxy to a server that can be closed: it then refuses new connections and breaks open ones. */
export class Gate {
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()
  #isShut = false

  private constructor(to: number) {
    this.#listener = createServer((outer) => {
      if (this.#isShut) return void outer.destroy()
      const inner = connect(to, '127.0.0.1')
      for (const [one, other] of [
        [outer, inner],
        [inner, outer],
      ] as const) {
        this.#sockets.add(one)
        one.on('error', () => other.destroy())
        one.on('close', () => {
          this.#sockets.delete(one)
          other.destroy()
        })
      }
      outer.pipe(inner).pipe(outer)
    })
  }

  /** Opens one between two ports of loopback. */
  static async open(port: number, to: number): Promise<Gate> {
    const gate = new Gate(to)
    await new Promise<void>((resolve) => gate.#listener.listen(port, '127.0.0.1', resolve))
    return gate
  }

  /** Closes the gate. */
  shut(): void {
    this.#isShut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Opens the gate. */
  reopen(): void {
    this.#isShut = false
  }

  /** Takes it down. */
  async close(): Promise<void> {
    this.shut()
    await new Promise((resolve) => this.#listener.close(resolve))
  }
}
