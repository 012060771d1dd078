// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import type { AppServiceSettings, EphemeralMember, NamespaceSettings } from '@myelin/kit/settings/app-services'
import { type Static, type TObject, Type } from 'typebox'
import { Value } from 'typebox/value'
import { parseDocument } from 'yaml'
import type { Reading } from '../values/section.ts'
import { section } from '../values/section.ts'

const KEY = 'app_service_config_files'

const fields = {
  [KEY]: Type.Array(Type.String(), {
    description: `The registration files of application services (bridges, bots), in the format of the specification. A relative
path is relative to the folder of this file.`,
    default: [],
    examples: [['/etc/myelin/irc.yaml']],
  }),
}

const Namespaces = Type.Optional(
  Type.Union([
    Type.Array(Type.Object({ regex: Type.String(), exclusive: Type.Optional(Type.Boolean()) })),
    Type.Null(),
  ]),
)

const OptionalFlag = Type.Optional(Type.Union([Type.Boolean(), Type.Null()]))

const Registration = Type.Object({
  id: Type.String({ minLength: 1 }),
  url: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  as_token: Type.String({ minLength: 1 }),
  hs_token: Type.String({ minLength: 1 }),
  sender_localpart: Type.String({ minLength: 1 }),
  namespaces: Type.Optional(
    Type.Union([Type.Object({ users: Namespaces, aliases: Namespaces, rooms: Namespaces }), Type.Null()]),
  ),
  rate_limited: OptionalFlag,
  receive_ephemeral: OptionalFlag,
  push_ephemeral: OptionalFlag,
  'de.sorunome.msc2409.push_ephemeral': OptionalFlag,
  'org.matrix.msc3202': OptionalFlag,
  protocols: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
})

type Written = Static<typeof Registration>
/** Reports a fault of a file. */
type Report = (message: string) => undefined

/** The application services. */
export const appServices = section({
  title: 'Application services',
  fields,
  read(values: Static<TObject<typeof fields>>, reading): readonly AppServiceSettings[] {
    const read = values[KEY].flatMap((file) => {
      const report: Report = (message) => {
        reading.fault(KEY, `names ${file}: ${message}`)
        return undefined
      }
      const settings = registrationIn(reading, file, report)
      return settings ? [{ settings, report }] : []
    })
    const taken = new Set<string>()
    for (const { settings, report } of read) {
      for (const [key, value] of [
        ['id', settings.id],
        ['as_token', settings.asToken],
      ] as const) {
        if (taken.has(`${key} ${value}`)) report(`another application service has the same ${key}`)
        taken.add(`${key} ${value}`)
      }
    }
    return read.map(({ settings }) => settings)
  },
})

function registrationIn(reading: Reading, file: string, report: Report): AppServiceSettings | undefined {
  const text = reading.fileText(KEY, resolve(reading.folder, file))
  if (text === undefined) return undefined
  const document = parseDocument(text, { version: '1.1', prettyErrors: true })
  const [error] = document.errors
  if (error) return report(error.message.split('\n')[0] ?? 'is not YAML')
  const value = contentOf(document, report)
  if (value === undefined) return undefined
  const [fault] = Value.Errors(Registration, value)
  if (fault) return report(`${keyOf(fault.instancePath)} ${fault.message}`)
  return settingsOf(value as Written, report)
}

function contentOf(document: { toJS(): unknown }, report: Report): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    return report(`cannot be read as YAML: ${(cause as Error).message}`)
  }
}

const keyOf = (path: string): string => (path === '' ? 'it' : path.slice(1).replaceAll('/', '.'))

function settingsOf(written: Written, report: Report): AppServiceSettings | undefined {
  let isValid = true
  const refuse: Report = (message) => {
    isValid = false
    return report(message)
  }
  const { users, aliases, rooms } = written.namespaces ?? {}
  const settings: AppServiceSettings = {
    id: written.id,
    url: urlOf(written.url, refuse),
    asToken: written.as_token,
    hsToken: written.hs_token,
    senderLocalpart: written.sender_localpart,
    users: namespacesOf('users', users, refuse),
    aliases: namespacesOf('aliases', aliases, refuse),
    rooms: namespacesOf('rooms', rooms, refuse),
    isRateLimited: written.rate_limited ?? true,
    protocols: written.protocols ?? [],
    ephemeralMembers: ephemeralMembersOf(written),
    receivesDeviceLists: written['org.matrix.msc3202'] ?? false,
  }
  return isValid ? settings : undefined
}

function ephemeralMembersOf(written: Written): EphemeralMember[] {
  const isUnstable = written['de.sorunome.msc2409.push_ephemeral'] ?? written.push_ephemeral ?? false
  return [
    ...(written.receive_ephemeral === true ? (['ephemeral'] as const) : []),
    ...(isUnstable ? (['de.sorunome.msc2409.ephemeral'] as const) : []),
  ]
}

function namespacesOf(
  kind: string,
  written: Static<typeof Namespaces> | undefined,
  refuse: Report,
): NamespaceSettings[] {
  return (written ?? []).map(({ regex, exclusive = false }, index) => {
    if (!isPattern(regex)) refuse(`namespaces.${kind}.${index}.regex is not a regular expression: ${regex}`)
    return { pattern: regex, isExclusive: exclusive }
  })
}

function urlOf(url: string | null | undefined, refuse: Report): string | undefined {
  if (url === null || url === undefined || url === '') return undefined
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '')
  return refuse('url must be an http:// or https:// URL, or null')
}

function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp
  } catch {
    return false
  }
}
