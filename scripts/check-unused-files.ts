// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/**
 * Fails if a file is unused, or used only by tests.
 *
 * knip cannot find them: the `exports` of a package make each of its files an entry. A file is used if a program leads
 * to it by imports, or by `new URL('…', import.meta.url)` as to workers. `packages/testing` exists for tests.
 */
const files = globSync(['packages/*/src/**/*.{ts,js}', 'scripts/**/*.ts', 'bench/**/*.ts'])
const isTest = (file: string): boolean => file.endsWith('.test.ts') || file.startsWith('packages/testing/')
const programs = files.filter(
  (file) =>
    /^(scripts|bench)\/[^/]+\.ts$/.test(file) ||
    /^packages\/server\/src\/(npm-start\/npm-start|cli\/bin)\.js$/.test(file),
)
/** Files for tests only, which no program of ours imports. */
const FOR_TESTS = ['packages/rules/src/fixtures/fixtures.ts']

const used = reachedFrom(programs)
const tested = reachedFrom(files.filter((file) => file.endsWith('.test.ts')))
const faults = files
  .filter((file) => !used.has(file) && !file.endsWith('.test.ts'))
  .flatMap((file) => {
    if (!tested.has(file)) return [`${file} is not used by anything`]
    return isTest(file) || FOR_TESTS.includes(file) ? [] : [`${file} is used by tests only`]
  })
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}

function reachedFrom(entries: readonly string[]): Set<string> {
  const reached = new Set<string>()
  const waiting = [...entries]
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue
    reached.add(file)
    waiting.push(...targetsOf(file))
  }
  return reached
}

function targetsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const named = text.matchAll(/(?:from |import\(|import |new URL\()'([^']+\.(?:ts|js)|@myelin\/[^']+)'/g)
  return [...named].flatMap(([, name = '']) => {
    const own = /^@myelin\/([^/]+)\/(.+)$/.exec(name)
    const target = own ? `packages/${own[1]}/src/${own[2]}.ts` : relative('.', join(dirname(file), name))
    return files.includes(target) ? [target] : []
  })
}
