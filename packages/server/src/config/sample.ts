// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type Described, describedOf } from './described.ts'
import { sections } from './schema.ts'
import type { Section } from './values/section.ts'

/** The values of a new server's configuration. */
export interface SampleOptions {
  readonly serverName: string
  /** The folder of the database, the media and the key, as it is written into the file. */
  readonly dataDir: string
  readonly sharedSecret: string
  /** The URL that clients use, if it is not https:// and the server name. */
  readonly publicBaseUrl?: string
}

/** Returns a configuration file for a new server: required settings are set, all others are comments. */
export function sampleConfig(options: SampleOptions): string {
  const set = new Map<string, unknown>([
    ['server_name', options.serverName],
    ...(options.publicBaseUrl === undefined ? [] : ([['public_baseurl', options.publicBaseUrl]] as const)),
    ['signing_key_path', signingKeyPathIn(options.dataDir, options.serverName)],
    ['listeners', [LISTENER]],
    ['database', { name: 'sqlite3', args: { database: join(options.dataDir, 'homeserver.db') } }],
    ['registration_shared_secret', options.sharedSecret],
    ['media_store_path', join(options.dataDir, 'media_store')],
  ])
  const parts = (Object.values(sections) as readonly Section[]).flatMap((section) => [
    `## ${section.title} ##\n`,
    ...describedOf(section.fields).map((setting) => settingText(setting, set)),
  ])
  return `${PREAMBLE}\n${parts.join('\n')}`
}

/** Returns the path of the signing key, with the file name that Synapse gives it. */
export function signingKeyPathIn(folder: string, serverName: string): string {
  return join(folder, `${serverName}.signing.key`)
}

const PREAMBLE = `# The configuration of Myelin. Every setting that is commented out shows its default, or an example.
# What is not explained here is explained in docs/config.md. To see whether this file is in order:
#
#     npx myelin check-config --config FILE
`

const LISTENER = {
  port: 8008,
  bind_addresses: ['127.0.0.1'],
  type: 'http',
  x_forwarded: true,
  resources: [{ names: ['client', 'federation'] }],
}

function settingText({ key, description, examples, fallback }: Described, set: ReadonlyMap<string, unknown>): string {
  const about = commented(wrapped(description))
  if (set.has(key)) return `${about}${yamlOf(key, set.get(key))}`
  const shown = fallback === undefined ? examples[0] : fallback
  return `${about}${commented(yamlOf(key, shown), '#')}`
}

/** Returns a value as YAML 1.1, in which a string such as `off` needs quotes. */
function yamlOf(key: string, value: unknown): string {
  return stringify({ [key]: value }, { version: '1.1' })
}

function commented(text: string, mark = '# '): string {
  return text.replaceAll(/^(?=.)/gm, mark)
}

function wrapped(text: string): string {
  const lines = ['']
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)!
    if (last.length + word.length > 90) lines.push(word)
    else lines[lines.length - 1] = last ? `${last} ${word}` : word
  }
  return `${lines.join('\n')}\n`
}
