// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The version of the SFU: later ones of 1.13 replace modules by forks, which `go install` refuses. */
const SFU_VERSION = 'v1.13.5'
const NPM_PACKAGES = {
  'livekit-client': '2.23.0',
  '@element-hq/element-call-embedded': '0.26.1',
  'matrix-widget-api': '1.19.0',
} as const
const CACHE = join(homedir(), '.cache', 'myelin-livekit')

/** The parts of other projects that a call consists of. */
export interface Parts {
  /** The program of the LiveKit SFU. */
  readonly sfu: string
  /** The program of Chromium. */
  readonly chromium: string
  /** The folder `node_modules` with the packages for the browser. */
  readonly packages: string
}

/** Returns the parts, after it installed those that the cache folder lacks; returns a sentence where one cannot be had. */
export function installParts(): Parts | string {
  mkdirSync(CACHE, { recursive: true })
  const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => runs(name, '--version'))
  if (chromium === undefined) return 'no Chromium is installed; Debian has it as the package `chromium`'
  const sfu = installSfu()
  if (sfu === undefined)
    return `livekit-server ${SFU_VERSION} cannot be built; that needs Go 1.26 and a Go module proxy`
  const packages = installPackages()
  if (packages === undefined) return 'npm cannot install the packages for the browser'
  return { sfu, chromium, packages }
}

function installSfu(): string | undefined {
  const folder = join(CACHE, `sfu-${SFU_VERSION}`)
  const program = join(folder, 'server')
  if (existsSync(program)) return program
  console.log(`Building livekit-server ${SFU_VERSION} (some minutes) ...`)
  const target = `github.com/livekit/livekit-server/cmd/server@${SFU_VERSION}`
  const built = runs('go', 'install', [target], { GOBIN: folder })
  return built && existsSync(program) ? program : undefined
}

function installPackages(): string | undefined {
  const wanted = Object.entries(NPM_PACKAGES).map(([name, version]) => `${name}@${version}`)
  const folder = join(CACHE, 'npm')
  const mark = join(folder, `${wanted.join('+').replaceAll('/', '-')}.installed`)
  if (!existsSync(mark)) {
    console.log(`Installing ${wanted.join(', ')} ...`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    const options = ['--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', ...wanted]
    if (!runs('npm', 'install', options)) return undefined
    writeFileSync(mark, '')
  }
  return join(folder, 'node_modules')
}

/** Returns whether a program can be started and succeeds. */
function runs(program: string, command: string, args: readonly string[] = [], environment = {}): boolean {
  const { status } = spawnSync(program, [command, ...args], {
    stdio: 'ignore',
    env: { ...process.env, ...environment },
  })
  return status === 0
}

/** Returns the versions of the parts, for the report. */
export function versionsOf({ sfu, chromium }: Parts): string {
  const said = [sfu, chromium].map((program) => spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim())
  const packages = Object.entries(NPM_PACKAGES).map(([name, version]) => `${name} ${version}`)
  return [...said, ...packages].join(', ')
}
