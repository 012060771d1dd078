// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from './json.ts'

/**
 * Every error code that this server sends, with its HTTP status.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#standard-error-response
 */
export const ERROR_STATUS = {
  M_BAD_ALIAS: 400,
  M_BAD_JSON: 400,
  M_BAD_STATE: 403,
  M_DUPLICATE_ANNOTATION: 400,
  M_EXCLUSIVE: 400,
  M_INCOMPATIBLE_ROOM_VERSION: 400,
  M_INVALID_PARAM: 400,
  M_INVALID_ROOM_STATE: 400,
  M_INVALID_SIGNATURE: 400,
  M_INVALID_USERNAME: 400,
  M_KEY_TOO_LARGE: 400,
  M_MISSING_PARAM: 400,
  M_NOT_JSON: 400,
  M_PROFILE_TOO_LARGE: 400,
  M_ROOM_IN_USE: 400,
  M_THREEPID_IN_USE: 400,
  M_THREEPID_NOT_FOUND: 400,
  M_UNABLE_TO_AUTHORISE_JOIN: 400,
  M_UNABLE_TO_GRANT_JOIN: 400,
  M_UNKNOWN_DEVICE: 400,
  M_UNKNOWN_POS: 400,
  M_UNSUPPORTED_ROOM_VERSION: 400,
  M_URL_NOT_SET: 400,
  M_USER_IN_USE: 400,
  M_WEAK_PASSWORD: 400,
  'IO.ELEMENT.MSC4306.M_NOT_IN_THREAD': 400,
  M_MISSING_TOKEN: 401,
  M_UNAUTHORIZED: 401,
  M_UNKNOWN_TOKEN: 401,
  M_USER_LOCKED: 401,
  M_CANNOT_LEAVE_SERVER_NOTICE_ROOM: 403,
  M_FORBIDDEN: 403,
  M_GUEST_ACCESS_FORBIDDEN: 403,
  M_INVITE_BLOCKED: 403,
  M_RESOURCE_LIMIT_EXCEEDED: 403,
  M_THREEPID_AUTH_FAILED: 403,
  M_THREEPID_DENIED: 403,
  M_USER_DEACTIVATED: 403,
  M_USER_LIMIT_EXCEEDED: 403,
  M_USER_SUSPENDED: 403,
  M_WRONG_ROOM_KEYS_VERSION: 403,
  M_NOT_FOUND: 404,
  M_UNRECOGNIZED: 404,
  'IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION': 409,
  M_CANNOT_OVERWRITE_MEDIA: 409,
  M_TOO_LARGE: 413,
  M_LIMIT_EXCEEDED: 429,
  M_UNKNOWN: 500,
  M_BAD_STATUS: 502,
  M_CONNECTION_FAILED: 502,
  M_CONNECTION_TIMEOUT: 504,
  M_NOT_YET_UPLOADED: 504,
} as const

/** One of the codes of {@link ERROR_STATUS}. */
export type ErrorCode = keyof typeof ERROR_STATUS

/**
 * The optional parts of a {@link MatrixError}: members of the body, and a status where the spec departs from the
 * table.
 */
export interface MatrixErrorOptions extends ErrorOptions {
  readonly extra?: JsonObject
  readonly status?: number
}

/** An error for the client. Any other thrown error is a bug. */
export class MatrixError extends Error {
  override readonly name = 'MatrixError'
  readonly code: ErrorCode
  readonly extra: JsonObject
  readonly status: number

  constructor(code: ErrorCode, message: string, options: MatrixErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.extra = options.extra ?? {}
    this.status = options.status ?? ERROR_STATUS[code]
  }

  /** Returns the standard error body: `errcode`, `error`, and the code's further members. */
  toBody(): JsonObject {
    return { errcode: this.code, error: this.message, ...this.extra }
  }
}
