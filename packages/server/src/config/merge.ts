// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import type { Fault } from './fault.ts'

/** What the files say together, and which of them said it. */
export interface Written {
  readonly settings: ReadonlyMap<string, unknown>
  readonly firstFile: string
  /** The file that a setting, or a part of one (`listeners[0].port`), comes from; for what nobody said, the last file. */
  fileOf(key: string): string
}

/** Reads files and folders in order; where two say the same setting, the later one's stands. */
export function mergeFiles(paths: readonly string[], faults: Fault[]): Written {
  const files = paths.flatMap((path) => filesOf(path, faults))
  const settings = new Map<string, unknown>()
  const sources = new Map<string, string>()
  for (const file of files) {
    for (const [key, value] of settingsIn(file, faults)) {
      settings.set(key, value)
      sources.set(key, file)
    }
  }
  const lastFile = files.at(-1) ?? paths.at(-1) ?? 'configuration'
  return {
    settings,
    firstFile: files[0] ?? lastFile,
    fileOf: (key) => sources.get(/^[^.[]*/.exec(key)![0]) ?? lastFile,
  }
}

function filesOf(path: string, faults: Fault[]): readonly string[] {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats?.isDirectory()) return [path]
  const names = readdirSync(path).filter((name) => /\.ya?ml$/.test(name))
  if (names.length === 0) faults.push({ file: path, key: '', message: 'is a folder without any .yaml file' })
  return names.sort().map((name) => join(path, name))
}

function settingsIn(file: string, faults: Fault[]): readonly (readonly [string, unknown])[] {
  const fault = (message: string): readonly [] => {
    faults.push({ file, key: '', message })
    return []
  }
  const text = textOf(file)
  if (text === undefined) return fault('cannot be read')
  // Synapse reads YAML 1.1, where `yes` and `on` are booleans.
  const document = parseDocument(text, { version: '1.1', prettyErrors: true })
  if (document.errors.length > 0) {
    for (const error of document.errors) fault(error.message.split('\n')[0]!.replace(/:$/, ''))
    return []
  }
  const value: unknown = document.toJS({ mapAsMap: false })
  if (value === null) return []
  if (typeof value !== 'object' || Array.isArray(value)) return fault('must be settings, one "name: value" a line')
  return Object.entries(value)
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
