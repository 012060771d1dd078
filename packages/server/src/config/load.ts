// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Static, TObject, TProperties } from 'typebox'
import { checkSchema } from './check-schema.ts'
import { ConfigError, type Fault } from './fault.ts'
import { mergeFiles, type Written } from './merge.ts'
import { type Config, SETTINGS, sections } from './schema.ts'
import type { Reading, Section } from './values/section.ts'
import { checkPolicyKey } from './check-policy-key.ts'
import { checkNames } from './check-names.ts'
import { withoutDefaults } from './synapse-words.ts'

/**
 * Returns the merged configuration of these files, frozen; throws a {@link ConfigError} with all faults at once.
 *
 * A setting of a later file replaces that of an earlier one as a whole: nothing inside a setting is merged. A folder
 * means its `*.yaml` files, ordered by name. A few settings may be given as environment variables.
 */
export function loadConfig(paths: readonly string[], environment: Environment = process.env): Config {
  const faults: Fault[] = []
  const notices: string[] = []
  const written = mergeFiles(paths, faults)
  // Of files that cannot be read nothing is missing.
  if (faults.length > 0) throw new ConfigError(faults)
  checkNames(written, faults, notices)
  const read = readerOf(written, { environment, faults, notices })
  const slices = {
    ...read(sections.server),
    ...read(sections.registration),
    ...read(sections.observation),
    ...read(sections.policyServer),
    ...read(sections.rooms),
    serverNotices: read(sections.serverNotices),
    autoJoin: read(sections.autoJoin),
    listeners: read(sections.listeners),
    federation: read(sections.federation),
    connections: read(sections.connections),
    database: read(sections.database),
    search: read(sections.search),
    sessions: read(sections.sessions),
    media: read(sections.media),
    urlPreviews: read(sections.urlPreviews),
    push: read(sections.push),
    appServices: read(sections.appServices),
    rtc: read(sections.rtc),
    turn: read(sections.turn),
    rateLimits: read(sections.rateLimits),
    caches: read(sections.caches),
    disclosure: read(sections.disclosure),
    notices,
  }
  if (faults.length === 0)
    checkPolicyKey(slices as Config, (key, message) => faults.push({ file: written.fileOf(key), key, message }))
  if (faults.length > 0) throw new ConfigError(faults)
  // Without a fault, every section has made its slice.
  return frozen(slices as Config)
}

type Environment = Readonly<Record<string, string | undefined>>

interface Around {
  readonly environment: Environment
  readonly faults: Fault[]
  readonly notices: string[]
}

/** Reads one section after the other; one whose values do not fit its schema is not read any further. */
function readerOf(written: Written, { environment, faults, notices }: Around) {
  return <Fields extends TProperties, Slice>(section: Section<Fields, Slice>): Slice | undefined => {
    const values = valuesOf(section, written)
    const faultAt = (key: string, message: string): void => {
      faults.push({ file: written.fileOf(key), key, message })
    }
    if (!checkSchema(section.fields, values, faultAt)) return undefined
    return section.read(values as Static<TObject<Fields>>, {
      ...readingOf(written, faultAt, notices),
      environment: (name) => variableIn(environment, name),
    })
  }
}

/**
 * Returns the settings of a section as written. An empty value (`key:`) counts as absent, unless the setting may be
 * null.
 */
function valuesOf({ fields }: { readonly fields: TProperties }, written: Written): Record<string, unknown> {
  const entries = Object.keys(fields).flatMap((key): [string, unknown][] => {
    const value = written.settings.get(key)
    const given = value === null && !mayBeNull(key) ? undefined : value
    return given === undefined ? [] : [[key, withoutForeignDefaults(key, structuredClone(given))]]
  })
  return Object.fromEntries(entries)
}

/** Drops the members of a group that only Synapse has, where they have Synapse's default. */
function withoutForeignDefaults(key: string, value: unknown): unknown {
  const { properties } = (SETTINGS.get(key) ?? {}) as { readonly properties?: object }
  const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value)
  return properties && isGroup ? withoutDefaults(key, value, properties) : value
}

function mayBeNull(key: string): boolean {
  const { type } = SETTINGS.get(key) as { readonly type?: string | readonly string[] }
  return Array.isArray(type) && type.includes('null')
}

function variableIn(environment: Environment, name: string): string | undefined {
  const said = environment[name] ?? environment[name.toUpperCase()]
  return said === '' ? undefined : said
}

function readingOf(written: Written, fault: Reading['fault'], notices: string[]): Omit<Reading, 'environment'> {
  return {
    fault,
    notice: (message) => void notices.push(message),
    folder: dirname(resolve(written.firstFile)),
    isGiven: (key) => written.settings.has(key),
    fileText(key, path) {
      try {
        return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
      } catch (error) {
        fault(key, `names ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code ?? 'not text'})`)
        return undefined
      }
    },
  }
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) frozen(part)
    Object.freeze(value)
  }
  return value
}
