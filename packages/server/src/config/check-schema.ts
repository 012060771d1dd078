// SPDX-License-Identifier: Apache-2.0
import { Ajv, type ErrorObject } from 'ajv'
import { type TProperties, Type } from 'typebox'
import { nearestOf } from './nearest.ts'

const ajv = new Ajv({
  allErrors: true,
  useDefaults: true,
  verbose: true,
  allowUnionTypes: true,
  strictTypes: false,
  strictRequired: false,
  keywords: ['takes'],
})

/** Fills in defaults and reports every value that does not match its schema; returns whether all match. */
export function checkSchema(
  fields: TProperties,
  values: Record<string, unknown>,
  faultAt: (key: string, message: string) => void,
): boolean {
  const fits = ajv.compile(Type.Object(fields))
  if (fits(values)) return true
  for (const error of fits.errors ?? []) faultAt(keyOf(error), messageOf(error))
  return false
}

/** Returns the path of a value as an admin writes it: `/listeners/0/port` is `listeners[0].port`. */
function keyOf({ instancePath, params }: ErrorObject): string {
  const { missingProperty, additionalProperty } = params as { missingProperty?: string; additionalProperty?: string }
  const parts = instancePath.split('/').slice(1).map(unescaped)
  const last = missingProperty ?? additionalProperty
  if (last !== undefined) parts.push(last)
  return parts.reduce((key, part) => (/^\d+$/.test(part) ? `${key}[${part}]` : key ? `${key}.${part}` : part), '')
}

function unescaped(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}

interface Subject {
  readonly takes?: string
  readonly properties?: Readonly<Record<string, unknown>>
}

function messageOf(error: ErrorObject): string {
  const { takes, properties } = (error.parentSchema ?? {}) as Subject
  const params = error.params as Readonly<Record<string, unknown>>
  if (error.keyword === 'required') return 'is missing'
  if (error.keyword === 'additionalProperties') return unknownMember(String(params['additionalProperty']), properties)
  if (takes) return `must be ${takes}${insteadOf(error)}`
  switch (error.keyword) {
    case 'type':
      return `must be ${withArticle(String(params['type']))}${insteadOf(error)}`
    case 'enum':
      return `must be one of ${(params['allowedValues'] as readonly unknown[]).join(', ')}${insteadOf(error)}`
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
      return `must be ${String(params['comparison'])} ${String(params['limit'])}${insteadOf(error)}`
    case 'minItems':
    case 'minLength':
      return 'must not be empty'
    default:
      return error.message ?? 'is wrong'
  }
}

function unknownMember(name: string, properties: Subject['properties']): string {
  const names = Object.keys(properties ?? {})
  const nearest = nearestOf(name, names)
  return `is not a setting; ${nearest ? `did you mean ${nearest}?` : `here one can set ${names.join(', ')}`}`
}

function withArticle(type: string): string {
  const words = type.split(',').map((word) => (/^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`))
  return words.join(' or ').replace('a string', 'a text').replace('an array', 'a list')
}

/** Returns the value as text, unless it is long or a secret. */
function insteadOf(error: ErrorObject): string {
  const value: unknown = error.data
  if (/(^|[._])(password|registration_shared_secret)$/.test(keyOf(error))) return ''
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return `, not ${String(value)}`
  if (typeof value === 'string') return value.length <= 30 ? `, not "${value}"` : ''
  return Array.isArray(value) ? ', not a list' : ', not a group of settings'
}
