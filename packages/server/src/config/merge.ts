// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import type { Document } from 'yaml'
import type { Fault } from './fault.ts'

/** The merged settings, and the file that each comes from. */
export interface Written {
  readonly settings: ReadonlyMap<string, unknown>
  readonly firstFile: string
  /** Returns the file that sets a setting or a part of one (`listeners[0].port`); the last file if none does. */
  fileOf(key: string): string
}

/** Reads files and folders in order; a setting of a later file replaces an earlier one. */
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
  const names = yamlNamesIn(path)
  if (names === undefined) return [path]
  if (names.length === 0) faults.push({ file: path, key: '', message: 'is a folder without any .yaml file' })
  return names.sort().map((name) => join(path, name))
}

/** Returns the names of the YAML files in a folder; undefined where the path names none that can be read. */
function yamlNamesIn(path: string): string[] | undefined {
  try {
    if (!statSync(path).isDirectory()) return undefined
    return readdirSync(path).filter((name) => /\.ya?ml$/.test(name))
  } catch {
    // Reading it as a file reports the reason.
    return undefined
  }
}

function settingsIn(file: string, faults: Fault[]): readonly (readonly [string, unknown])[] {
  const fault = (message: string): readonly [] => {
    faults.push({ file, key: '', message })
    return []
  }
  const text = textOf(file, fault)
  if (text === undefined) return []
  // Synapse reads YAML 1.1, where `yes` and `on` are booleans.
  const document = parseDocument(text, { version: '1.1', prettyErrors: true })
  if (document.errors.length > 0) {
    for (const error of document.errors) fault(error.message.split('\n')[0]!.replace(/:$/, ''))
    return []
  }
  const value = valueOf(document, fault)
  if (value === null) return []
  if (typeof value !== 'object' || Array.isArray(value)) return fault('must be settings, one "name: value" a line')
  return Object.entries(value)
}

/** Returns the content of a document; null, and a fault, if its aliases would expand without bounds. */
function valueOf(document: Document, fault: (message: string) => void): unknown {
  try {
    return document.toJS({ mapAsMap: false })
  } catch (error) {
    fault(`cannot be read as YAML: ${(error as Error).message}`)
    return null
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'this user may not read it'],
  ['EISDIR', 'it is a folder'],
])

function textOf(file: string, fault: (message: string) => void): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    fault(`cannot be read: ${REASONS.get(code) ?? code}`)
    return undefined
  }
}
