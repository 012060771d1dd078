// SPDX-License-Identifier: Apache-2.0
import { stringify } from 'yaml'
import { type Described, describedOf } from './described.ts'
import { sections, SETTINGS } from './schema.ts'
import type { Section } from './values/section.ts'
import { SYNAPSE_WORDS, WITHOUT_EFFECT } from './synapse-words.ts'

/** Returns the reference of all settings in Markdown, generated from their schemas. */
export function configReference(): string {
  const parts = (Object.values(sections) as readonly Section[]).flatMap((section) => [
    `## ${section.title}\n`,
    ...describedOf(section.fields).map(settingText),
  ])
  return [PREAMBLE, ...parts, withoutEffect(), notBuilt()].join('\n')
}

const PREAMBLE = `<!-- Written by scripts/write-config-docs.ts from packages/server/src/config/sections. Do not edit it here. -->
# All settings

[configure.md](configure.md) explains how the file is read, and where to begin.
A **duration** is a number of milliseconds, or a number with \`s\`, \`m\`, \`h\`, \`d\`, \`w\` (7 days) or \`y\` (365 days).
A **size** is a number, or a number with \`K\`, \`M\`, \`G\` or \`T\`, each 1024 times the one before.
`

function settingText(setting: Described): string {
  const { key, description, takes, isRequired, fallback, examples, members } = setting
  const facts = [
    `Takes ${takes}.`,
    isRequired ? 'Required.' : fallback === undefined ? 'No default.' : `Default:${shown(fallback)}`,
  ]
  const lines = [`### \`${key}\`\n`, `${description}\n`, `${facts.join(' ')}\n`]
  if (members.length > 0) lines.push(`${membersText(members, '').join('\n')}\n`)
  for (const example of examples) lines.push(`\`\`\`yaml\n${stringify({ [key]: example })}\`\`\`\n`)
  return lines.join('\n')
}

function membersText(members: readonly Described[], indent: string): readonly string[] {
  return members.flatMap(({ key, description, takes, isRequired, fallback, members: inner }) => {
    const isGroup = inner.length > 0
    const value = fallback === undefined || isGroup ? '' : ` Default:${shown(fallback)}`
    const line = `${indent}- \`${key}\`: ${description} Takes ${takes}.${isRequired ? ' Required.' : value}`
    return [line, ...membersText(inner, `${indent}  `)]
  })
}

/** Returns a short value in YAML notation. */
function shown(value: unknown): string {
  return ` \`${typeof value === 'string' ? value : JSON.stringify(value)}\`.`
}

function withoutEffect(): string {
  const rows = [...WITHOUT_EFFECT].map(([name, reason]) => `| \`${name}\` | ${reason} |`)
  return `## Settings of Synapse without effect

These settings are accepted, because ignoring them does no harm. The log lists them at the start.

| setting | reason |
|---|---|
${rows.join('\n')}
`
}

function notBuilt(): string {
  return `## Settings of Synapse that are refused

Myelin does not have these features yet. A configuration with one of these settings is refused.

${notBuiltNames()
  .map((name) => `\`${name}\``)
  .join(' · ')}
`
}

function notBuiltNames(): string[] {
  return [...SYNAPSE_WORDS].filter((name) => !SETTINGS.has(name) && !WITHOUT_EFFECT.has(name)).toSorted()
}
