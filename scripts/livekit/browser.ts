// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

type Reply = Readonly<Record<string, unknown>>
type Listener = (params: Reply) => void

/** A request of a page that got a status of 400 or above, or no answer. */
export interface FailedRequest {
  readonly method: string
  readonly url: string
  /** The status; 0 where the server did not answer. */
  readonly status: number
}

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--window-size=1280,900',
  '--mute-audio',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--remote-debugging-port=0',
]

/** A headless Chromium with one page, fake microphone and fake camera, driven over the DevTools protocol. */
export class Browser {
  readonly failed: FailedRequest[] = []
  /** The warnings and errors on the console of the page and its frames. */
  readonly complaints: string[] = []
  readonly #pid: number
  readonly #profile: string
  readonly #socket: WebSocket
  readonly #ended: Promise<unknown>
  readonly #waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (cause: Error) => void }>()
  readonly #listeners = new Map<string, Listener>()
  #session = ''
  #serial = 0

  private constructor(pid: number, profile: string, socket: WebSocket, ended: Promise<unknown>) {
    this.#pid = pid
    this.#profile = profile
    this.#socket = socket
    this.#ended = ended
    socket.addEventListener('message', ({ data }) => this.#hear(JSON.parse(String(data)) as Reply))
    socket.addEventListener('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser is gone'))
    })
  }

  /** Starts a browser and opens a page in it. */
  static async open(program: string, url: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'myelin-chromium-'))
    const child = spawn(program, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // A process group of its own, so that the whole browser can be killed at once.
      detached: true,
    })
    const pid = child.pid ?? 0
    running.add(pid)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const socket = new WebSocket(await devTools(child.stderr))
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () => reject(new Error('Chromium takes no DevTools connection')))
    })
    const browser = new Browser(pid, profile, socket, ended)
    await browser.#openPage(url)
    return browser
  }

  /** Evaluates an expression in the page and returns its value, which is awaited first; throws what it throws. */
  async evaluate<T>(expression: string): Promise<T> {
    const options = { expression, awaitPromise: true, returnByValue: true, userGesture: true }
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', options)
    if (exceptionDetails) {
      const { exception, text } = exceptionDetails as { exception?: { description?: string }; text: string }
      throw new Error(exception?.description ?? text)
    }
    return (result as { value: T }).value
  }

  /** Calls a function of the page by its name, with arguments that JSON can hold. */
  call<T>(name: string, ...args: readonly unknown[]): Promise<T> {
    return this.evaluate<T>(`globalThis.${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`)
  }

  /** Writes a picture of the page to a PNG file. */
  async picture(file: string): Promise<void> {
    const { data } = await this.#send('Page.captureScreenshot', { format: 'png' })
    writeFileSync(file, Buffer.from(String(data), 'base64'))
  }

  /** Ends all processes of the browser by SIGKILL: nothing is said to anybody. */
  async kill(): Promise<void> {
    killGroup(this.#pid)
    await this.#ended
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }

  async #openPage(url: string): Promise<void> {
    const { targetId } = await this.#send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.#send('Target.attachToTarget', { targetId, flatten: true })
    this.#session = String(sessionId)
    this.#watch()
    for (const domain of ['Page', 'Runtime', 'Network']) await this.#send(`${domain}.enable`, {})
    const loaded = new Promise<void>((resolve) => this.#listeners.set('Page.loadEventFired', () => resolve()))
    await this.#send('Page.navigate', { url })
    await loaded
  }

  #watch(): void {
    const requests = new Map<string, { method: string; url: string }>()
    this.#listeners.set('Network.requestWillBeSent', ({ requestId, request }) => {
      requests.set(String(requestId), request as { method: string; url: string })
    })
    const fail = (requestId: unknown, status: number) => {
      const { method, url } = requests.get(String(requestId)) ?? { method: '?', url: '?' }
      this.failed.push({ method, url, status })
    }
    this.#listeners.set('Network.responseReceived', ({ requestId, response }) => {
      const { status } = response as { status: number }
      if (status >= 400) fail(requestId, status)
    })
    this.#listeners.set('Network.loadingFailed', ({ requestId, canceled }) => {
      if (canceled !== true) fail(requestId, 0)
    })
    this.#listeners.set('Runtime.consoleAPICalled', ({ type, args }) => {
      if (type !== 'error' && type !== 'warning') return
      const texts = (args as { value?: unknown; description?: string }[]).map((arg) => arg.description ?? arg.value)
      this.complaints.push(texts.join(' '))
    })
  }

  #send(method: string, params: object): Promise<Reply> {
    const id = ++this.#serial
    const reply = new Promise<Reply>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    const session = this.#session === '' ? {} : { sessionId: this.#session }
    this.#socket.send(JSON.stringify({ id, method, params, ...session }))
    return reply
  }

  #hear(message: Reply): void {
    const { id, method, result, error, params } = message
    if (typeof id !== 'number') return this.#listeners.get(String(method))?.(params as Reply)
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error) waiting?.reject(new Error(JSON.stringify(error)))
    else waiting?.resolve(result as Reply)
  }
}

/** Returns the address of the DevTools, which Chromium prints once it is there. */
async function devTools(output: Readable): Promise<string> {
  const said: string[] = []
  for await (const line of createInterface({ input: output })) {
    const url = /^DevTools listening on (ws:\S+)$/.exec(line)?.[1]
    if (url === undefined) {
      said.push(line)
      continue
    }
    // Later output is dropped, so that the browser does not wait for a reader.
    output.resume()
    return url
  }
  throw new Error(`Chromium did not start:\n${said.join('\n')}`)
}

/** The browsers that must not outlive this program. */
const running = new Set<number>()
process.once('exit', () => running.forEach(killGroup))

function killGroup(pid: number): void {
  running.delete(pid)
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended before.
  }
}
