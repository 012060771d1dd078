// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'

/** An operation of the spec, or one beyond it. */
export interface Operation {
  readonly api: string
  readonly method: string
  /** With parameters in braces. */
  readonly path: string
  readonly id: string
  /** The release of the spec, or the MSC or the software that has the operation. */
  readonly source: string
}

/** The operations of the spec; `extract-operations.ts` writes them. */
export const OPERATIONS_FILE = 'conformance/operations.tsv'
/** The operations beyond the spec, kept by hand. */
export const BEYOND_FILE = 'conformance/beyond-the-spec.tsv'

/** Returns the operations of a file. */
export function readOperations(file: string): Operation[] {
  const [, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => {
    const [api = '', method = '', path = '', id = '', source = 'spec'] = line.split('\t')
    return { api, method, path, id, source }
  })
}

/** Returns a path with its parameters anonymous, so that paths can be compared. */
export function shapeOf(path: string): string {
  return path.replace(/\{[^}]+\}|:[^/]+/g, ':')
}
