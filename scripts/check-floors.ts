// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Fails when a package imports one it does not stand on, or when two files import each other in a ring. */
const floors = JSON.parse(readFileSync('floors.json', 'utf8')) as Record<string, string[]>
const files = globSync('packages/*/src/**/*.ts')
const faults: string[] = []
const graph = new Map(files.map((file) => [file, importsOf(file)]))

for (const [file, targets] of graph) {
  const home = file.split('/')[1]!
  for (const target of targets) {
    const away = target.split('/')[1]!
    const isTest = file.endsWith('.test.ts')
    if (away !== home && !isTest && !floors[home]!.includes(away)) faults.push(`${file} may not import ${away}`)
  }
}
for (const ring of rings()) faults.push(`ring: ${ring.join(' → ')}`)

if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/(?:from|import\() ?'([^']+)'/g)].flatMap(([, name]) => {
    if (name!.startsWith('.')) return [relative('.', join(dirname(file), name!))]
    const house = /^@myelin\/([^/]+)\/(.+)$/.exec(name!)
    return house ? [`packages/${house[1]}/src/${house[2]}.ts`] : []
  })
}

function rings(): string[][] {
  const found: string[][] = []
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) return void found.push([...path.slice(path.indexOf(file)), file])
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) walk(next, [...path, file])
    done.add(file)
  }
  for (const file of files) walk(file, [])
  return found
}
