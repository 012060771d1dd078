// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'

/**
 * Prints dead links to the spec: `node scripts/check-spec-links.ts FOLDER`, where FOLDER is a git repository of
 * github.com/matrix-org/matrix-spec, bare or not.
 */
const [repository] = process.argv.slice(2)
if (!repository) {
  console.error('usage: node scripts/check-spec-links.ts FOLDER (a git repository of matrix-org/matrix-spec)')
  process.exit(2)
}

const LINK = /https:\/\/spec\.matrix\.org\/v1\.19\/([a-z0-9/-]*)(?:#([\w.-]+))?/g
const APIS = ['client-server', 'server-server', 'application-service', 'identity', 'push-gateway']
const spec = unpacked(repository)
const pages = new Map<string, ReadonlySet<string> | undefined>()

const faults = globSync('packages/*/src/**/*.ts').flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, index) =>
      linksIn(line).flatMap((link) => faultOf(link).map((why) => `${file}:${index + 1} ${why}`)),
    ),
)
rmSync(spec, { recursive: true })
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}

interface Link {
  readonly page: string
  readonly anchor: string | undefined
}

function linksIn(line: string): readonly Link[] {
  return [...line.matchAll(LINK)].map(([, page, anchor]) => ({ page: page!.replace(/\/$/, ''), anchor }))
}

function faultOf({ page, anchor }: Link): readonly string[] {
  if (!pages.has(page)) pages.set(page, anchorsOf(page))
  const anchors = pages.get(page)
  if (!anchors) return [`the spec has no page ${page}`]
  if (anchor === undefined || anchors.has(anchor)) return []
  // A part of an operation's description: `…_response-200_roomsummary`.
  return anchors.has(anchor.replace(/_(request|response)(-.*)?$/, '')) ? [] : [`${page} has no #${anchor}`]
}

/** Every anchor of a page: its headings, with those of what it includes, and the operations and event types it shows. */
function anchorsOf(page: string): ReadonlySet<string> | undefined {
  const [file] = globSync([`content/${page}.md`, `content/${page}/_index.md`], { cwd: spec })
  if (file === undefined) return undefined
  const anchors = new Set<string>()
  const counts = new Map<string, number>()
  for (const anchor of headingsIn(file)) {
    const count = counts.get(anchor) ?? 0
    counts.set(anchor, count + 1)
    anchors.add(count === 0 ? anchor : `${anchor}-${count}`)
  }
  const api = APIS.find((name) => page.startsWith(name))
  if (api) for (const operation of operationsOf(api)) anchors.add(operation)
  if (page === 'client-server-api') for (const type of eventTypes()) anchors.add(type)
  return anchors
}

function headingsIn(file: string): readonly string[] {
  const text = readFileSync(join(spec, file), 'utf8')
  return text.split('\n').flatMap((line) => {
    const fragment = /^\s*\{\{[%<] *rver-fragment name="([\w-]+)"/.exec(line)
    if (fragment) return includedBy(file, fragment[1]!).flatMap(headingsIn)
    const module = /^\s*\{\{[%<] *cs-module name="([^"]+)" filename="([\w-]+)"/.exec(line)
    if (module) return [slugOf(module[1]!), ...includedBy(file, module[2]!).flatMap(headingsIn)]
    const heading = /^#{1,6} +(.*)$/.exec(line)
    return heading ? [slugOf(heading[1]!)] : []
  })
}

function includedBy(file: string, name: string): readonly string[] {
  const folder = file.replace(/\/[^/]*$/, '')
  return globSync(`${folder}/{fragments,modules}/${name}.md`, { cwd: spec })
}

/** The anchor Hugo gives a heading, unless the heading names its own. */
function slugOf(heading: string): string {
  const own = /\{(?:#|id=")([\w.-]+)"?\}\s*$/.exec(heading)
  if (own) return own[1]!
  return heading
    .replaceAll(/\{\{.*?\}\}/g, '')
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\-_ ]/gu, '')
    .replaceAll(' ', '-')
}

interface OpenApi {
  readonly servers?: readonly { readonly variables?: { readonly basePath?: { readonly default?: string } } }[]
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

function operationsOf(api: string): readonly string[] {
  return globSync(`data/api/${api}/*.yaml`, { cwd: spec }).flatMap((file) => {
    const { servers, paths = {} } = parse(readFileSync(join(spec, file), 'utf8')) as OpenApi
    const prefix = servers?.[0]?.variables?.basePath?.default ?? ''
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method}${prefix}${path}`.toLowerCase().replaceAll(/[^a-z0-9_-]/g, '')),
    )
  })
}

function eventTypes(): readonly string[] {
  const files = globSync('data/event-schemas/schema/*.yaml', { cwd: spec })
  return files.map((file) =>
    file
      .replace(/^.*\//, '')
      .replace(/\.yaml$/, '')
      .replaceAll(/[.$]/g, '')
      .toLowerCase(),
  )
}

function unpacked(folder: string): string {
  const target = mkdtempSync(join(tmpdir(), 'matrix-spec-'))
  const tar = execFileSync('git', ['-C', folder, 'archive', 'HEAD', 'content', 'data'], { maxBuffer: 2 ** 28 })
  execFileSync('tar', ['-x', '-C', target], { input: tar })
  return target
}
