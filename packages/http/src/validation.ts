// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { ErrorCode } from '@myelin/matrix/errors'
import { Ajv } from 'ajv'
import type { ErrorObject, ValidateFunction } from 'ajv'
import type { TSchema } from 'typebox'

// Path and query parameters are text, so numbers and booleans in them are parsed from text; those in bodies are not.
const lenient = new Ajv({ coerceTypes: 'array', useDefaults: true, strict: false, allErrors: false, verbose: true })
const strict = new Ajv({ coerceTypes: false, useDefaults: false, strict: false, allErrors: false, verbose: true })

/** The keyword of a parameter's schema that names the error code for a wrong value; its status is 400. */
export const ERROR_CODE = 'x-errcode'

/** Checks one part of a request; throws a `MatrixError` with the code that the spec gives to the error. */
export type Check = (value: unknown) => void

/** Returns a check for path or query parameters: `M_MISSING_PARAM` or `M_INVALID_PARAM`. */
export function parameterCheck(schema: TSchema): Check {
  return checkWith(lenient.compile(schema), 'M_INVALID_PARAM')
}

/** Returns a check for a JSON body: `M_MISSING_PARAM` for an absent member, `M_BAD_JSON` for a wrong one. */
export function bodyCheck(schema: TSchema): Check {
  return checkWith(strict.compile(schema), 'M_BAD_JSON')
}

/** Returns a function that returns the fault of a value, or undefined if it matches the schema. */
export function mismatchFinder(schema: object): (value: unknown) => string | undefined {
  const validate = strict.compile(schema)
  return (value) => (validate(value) ? undefined : messageFor(validate.errors?.[0]))
}

function checkWith(validate: ValidateFunction, code: ErrorCode): Check {
  return (value) => {
    if (validate(value)) return
    const [error] = validate.errors ?? []
    const own = error?.parentSchema?.[ERROR_CODE] as ErrorCode | undefined
    if (own) throw new MatrixError(own, messageFor(error), { status: 400 })
    throw new MatrixError(error?.keyword === 'required' ? 'M_MISSING_PARAM' : code, messageFor(error))
  }
}

function messageFor(error: ErrorObject | undefined): string {
  const where = error?.instancePath.slice(1).replaceAll('/', '.') || 'the value'
  const more = error?.keyword === 'additionalProperties' ? `: ${String(error.params['additionalProperty'])}` : ''
  return `${where} ${error?.message ?? 'is not valid'}${more}`
}
