// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream'
import type { Json } from '@myelin/matrix/json'
import type { FastifyRequest } from 'fastify'
import type { AnyEndpoint } from '../endpoint.ts'
import type { ReadBody } from './handler-request.ts'
import { nullRemover } from '../optional-or-null.ts'
import { hasNoBody, jsonBodyOf } from './body.ts'
import { bodyCheck, parameterCheck } from '../validation.ts'

/**
 * Reads a request: checks its parameters and its body against the schemas of the endpoint. `content` is the body where it
 * has already been parsed to check a signature. The result is a promise where the body is long.
 */
export type RequestReader = (request: FastifyRequest, content?: Json) => ReadBody | Promise<ReadBody>

/** Returns the reader of an endpoint's requests. */
export function requestReader(endpoint: AnyEndpoint): RequestReader {
  const checkParams = endpoint.params && parameterCheck(endpoint.params)
  const checkQuery = endpoint.query && parameterCheck(endpoint.query)
  const readBody = bodyReader(endpoint)
  return (request, content) => {
    checkParams?.(request.params)
    checkQuery?.(request.query)
    return readBody(request, content)
  }
}

function bodyReader(endpoint: AnyEndpoint): RequestReader {
  if (endpoint.bodyIsRaw) return (request) => ({ stream: (request.body as Readable | null) ?? request.raw })
  if (!endpoint.body) return () => ({})
  const check = bodyCheck(endpoint.body)
  const removeNulls = nullRemover(endpoint.body)
  const limits = { strictNumbers: endpoint.bodyIsCanonical ?? false }
  const checked = (body: Json): ReadBody => {
    check(body)
    removeNulls?.(body)
    return { body }
  }
  return (request, content) => {
    if (endpoint.bodyMayBeAbsent && hasNoBody(request)) return { body: {} }
    const body = content ?? jsonBodyOf(request, limits)
    return body instanceof Promise ? body.then(checked) : checked(body)
  }
}
