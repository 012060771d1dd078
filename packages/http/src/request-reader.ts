// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream'
import type { Json } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import type { FastifyRequest } from 'fastify'
import type { AnyEndpoint } from './endpoint.ts'
import type { ReadBody } from './handler-request.ts'
import { bodyCheck, parameterCheck } from './validation.ts'

/**
 * Reads a request: checks its parameters and its body against the schemas of the endpoint. `content` is the body where it
 * has already been parsed to check a signature.
 */
export type RequestReader = (request: FastifyRequest, content?: Json) => ReadBody

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
  return (request, content) => {
    const text = typeof request.body === 'string' ? request.body : ''
    if (text === '' && endpoint.bodyMayBeAbsent) return { body: {}, bodyText: '{}' }
    const body = content ?? parseJson(text, { strictNumbers: endpoint.bodyIsCanonical ?? false })
    check(body)
    return { body, bodyText: text }
  }
}
