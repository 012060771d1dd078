// SPDX-License-Identifier: Apache-2.0

/** An error message in a source file; `code` is undefined where a helper function adds it. */
interface ErrorText {
  readonly file: string
  readonly code: string | undefined
  readonly text: string
}

/** Conditions for which the specification has two codes, by operation. */
const SEVERAL_CODES: ReadonlySet<string> = new Set([
  'no such filter',
  'the room version is not supported',
  // One is decided by the rules of the room, the other by the shape of the request.
  'the room has no third-party invite with this token',
])

/** Words that mean the same in an error message; the first one is used. */
const SYNONYMS: readonly (readonly [used: string, other: RegExp])[] = [
  ['no such room', /\b(unknown room|not known room|room not found|no room)\b/g],
  ['no such event', /\b(unknown event|event not found|event was not found)\b/g],
  ['no such user', /\b(unknown user|user not found|user was not found)\b/g],
  ['is missing', /\bis required\b/g],
  ['must be string', /\bmust be text\b/g],
  ['has at most', /\bmust have at most\b/g],
  ['disabled', /\bturned off\b/g],
]

const QUOTED = String.raw`(\x60(?:[^\x60\\]|\\.)*\x60|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")`
const THROWN = new RegExp(String.raw`\bMatrixError\(\s*(?:'(M_\w+)'|[\w.]+)\s*,\s*${QUOTED}`, 'g')
const HELPED = new RegExp(String.raw`\b(?:bad|invalid)\(\s*${QUOTED}`, 'g')

/**
 * Returns the faults of error messages: a capital at the start or a full stop at the end, one text with two codes, two texts that
 * differ only in articles, quotes or synonyms.
 *
 * @param files the source files, by path
 * @param interfaceTexts texts that programs may compare, which stay as they are: docs/compatibility.md, for example
 */
export function errorTextFaults(
  files: ReadonlyMap<string, string>,
  interfaceTexts: readonly string[],
): readonly string[] {
  const isInterface = ({ text }: ErrorText) =>
    interfaceTexts.some((each) => each.includes(text.split('${')[0]!.trimEnd()))
  const own = [...files].flatMap(([file, source]) => textsIn(file, source)).filter((each) => !isInterface(each))
  return [...own.flatMap(formFaults), ...codeFaults(own), ...doubles(own)]
}

function textsIn(file: string, source: string): readonly ErrorText[] {
  const thrown = [...source.matchAll(THROWN)].map(([, code, quoted]) => ({ file, code, text: unquoted(quoted!) }))
  const helped = [...source.matchAll(HELPED)].map(([, quoted]) => ({ file, code: undefined, text: unquoted(quoted!) }))
  return [...thrown, ...helped].filter(({ text }) => !/^\$\{[^}]*\}$/.test(text))
}

const unquoted = (quoted: string): string => quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1')

function formFaults({ file, text }: ErrorText): readonly string[] {
  // A word in capitals is a name: JSON, PDU.
  const startsWell = !/^[A-Z][a-z'’ ]/.test(text)
  return [
    ...(startsWell ? [] : [`${file}: the error "${text}" starts with a capital and is not in docs/compatibility.md`]),
    ...(text.endsWith('.')
      ? [`${file}: the error "${text}" ends with a full stop and is not in docs/compatibility.md`]
      : []),
  ]
}

function codeFaults(texts: readonly ErrorText[]): readonly string[] {
  const coded = texts.filter(({ code, text }) => code !== undefined && !SEVERAL_CODES.has(text))
  return [...Map.groupBy(coded, ({ text }) => text)].flatMap(([text, all]) => {
    const codes = new Set(all.map(({ code }) => code))
    return codes.size < 2 ? [] : [`the error "${text}" has the codes ${[...codes].join(', ')}: ${filesOf(all)}`]
  })
}

function doubles(texts: readonly ErrorText[]): readonly string[] {
  return [...Map.groupBy(texts, ({ text }) => conditionOf(text))].flatMap(([, all]) => {
    const distinct = new Set(all.map(({ text }) => text))
    const list = [...distinct].map((text) => `"${text}"`).join(' and ')
    return distinct.size < 2 ? [] : [`one condition has two error texts, ${list}: ${filesOf(all)}`]
  })
}

/** Returns a text without what two texts for one condition may differ in. */
function conditionOf(text: string): string {
  const plain = text
    .replaceAll(/\$\{[^}]*\}/g, '*')
    .toLowerCase()
    .replaceAll(/[`'"’“”.,;:]/g, '')
    .replaceAll(/\b(a|an|the|this|that|your|each)\b/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return SYNONYMS.reduce((words, [used, other]) => words.replaceAll(other, used), plain)
}

function filesOf(texts: readonly ErrorText[]): string {
  return [...new Set(texts.map(({ file }) => file))].join(', ')
}
