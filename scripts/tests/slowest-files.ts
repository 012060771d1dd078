// SPDX-License-Identifier: Apache-2.0
import type { TestEvent } from 'node:test/reporters'

const SHOWN = 15

/** A reporter of `node --test` that prints the files that took longest, and the time of all files together. */
export default async function* slowestFiles(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files: { readonly name: string; readonly durationMs: number }[] = []
  for await (const event of source) {
    if (event.type !== 'test:summary' || event.data.file === undefined) continue
    files.push({ name: event.data.file, durationMs: event.data.duration_ms })
  }
  const totalMs = files.reduce((sum, { durationMs }) => sum + durationMs, 0)
  yield `\n${files.length} files took ${seconds(totalMs)} s together; the longest:\n`
  for (const { name, durationMs } of files.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, SHOWN)) {
    yield `${seconds(durationMs).padStart(7)} s  ${name.replace(`${process.cwd()}/`, '')}\n`
  }
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1)
