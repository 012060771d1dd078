// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RoomClient } from '@myelin/testing/clients/room-client'
import type { Room } from '@myelin/testing/clients/room-client'
import { startServerProcess } from '@myelin/testing/processes/server-process'
import type { ServerProcess } from '@myelin/testing/processes/server-process'
import { Browser } from './browser.ts'
import { servePages } from './pages.ts'
import type { Pages } from './pages.ts'
import type { Parts } from './parts.ts'
import { startSfu } from './sfu.ts'
import type { Sfu } from './sfu.ts'

/** The type of the event by which a device is a member of a call. */
export const CALL_MEMBER = 'org.matrix.msc3401.call.member'

/** An SFU, a Myelin that issues its tokens, and a web server with the pages of the callers. */
export class Stage {
  readonly folder: string
  readonly sfu: Sfu
  readonly server: ServerProcess
  readonly pages: Pages
  /** Files of the web server that stand in for those on the disk, by path. */
  readonly texts: Map<string, string>
  readonly #chromium: string
  readonly #browsers: Browser[] = []
  #serial = 0

  private constructor(
    { folder, pages, texts }: Pick<Stage, 'folder' | 'pages' | 'texts'>,
    sfu: Sfu,
    server: ServerProcess,
    chromium: string,
  ) {
    this.texts = texts
    this.folder = folder
    this.sfu = sfu
    this.server = server
    this.pages = pages
    this.#chromium = chromium
  }

  /** Starts all of it on free ports of loopback. */
  static async open(parts: Parts): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), 'myelin-livekit-'))
    const sfu = await startSfu(parts.sfu, folder)
    const livekit = { url: sfu.url, api_url: sfu.apiUrl, key: sfu.key, secret: sfu.secret }
    const server = await startServerProcess({
      settings: `enable_registration: true
enable_registration_without_verification: true
matrix_rtc: ${JSON.stringify({ livekit })}
`,
    })
    const texts = new Map<string, string>()
    const pages = await servePages(parts.packages, texts)
    return new Stage({ folder, pages, texts }, sfu, server, parts.chromium)
  }

  /** Registers a user. */
  user(name: string): Promise<RoomClient> {
    return RoomClient.register(this.server.url, `${name}${++this.#serial}`)
  }

  /** Returns two users in a room whose members may all be in calls. */
  async pair(): Promise<{ readonly alice: RoomClient; readonly bob: RoomClient; readonly room: Room }> {
    const [alice, bob] = [await this.user('alice'), await this.user('bob')]
    const events = { [CALL_MEMBER]: 0 }
    const room = await alice.createRoom({
      preset: 'public_chat',
      name: 'Call',
      power_level_content_override: { events },
    })
    await bob.call('POST', `${room.path}/join`, {})
    return { alice, bob, room }
  }

  /** Opens a page in a browser of its own. */
  async browser(path: string): Promise<Browser> {
    const browser = await Browser.open(this.#chromium, `${this.pages.url}${path}`)
    this.#browsers.push(browser)
    return browser
  }

  /** Ends the browsers of a scenario. */
  async closeBrowsers(): Promise<void> {
    await Promise.all(this.#browsers.splice(0).map((browser) => browser.kill()))
  }

  /** Ends everything; the log of the SFU stays where `keeps` says so. */
  async close(keeps: boolean): Promise<void> {
    await this.closeBrowsers()
    this.pages.close()
    await this.server.close()
    await this.sfu.stop()
    if (!keeps) rmSync(this.folder, { recursive: true, force: true })
  }
}
