// SPDX-License-Identifier: Apache-2.0
import type { TSchema } from 'typebox'
import type { Access, AnyEndpoint } from '../endpoint.ts'
import { pathsOf } from '../app/mount.ts'
import { ErrorSchema } from '../reply-schemas.ts'

/** The endpoints of one API, under the name of its tag. */
export interface ApiEndpoints {
  readonly name: string
  readonly endpoints: readonly AnyEndpoint[]
}

/** An object schema, as far as parameters need it. */
interface ObjectSchema {
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly required?: readonly string[]
}

const SECURITY: Readonly<Record<Access, readonly object[]>> = {
  none: [],
  optional: [{}, { accessToken: [] }],
  locked: [{ accessToken: [] }],
  user: [{ accessToken: [] }],
  guest: [{ accessToken: [] }],
  admin: [{ accessToken: [] }],
  server: [{ serverSignature: [] }],
}

/**
 * Returns the OpenAPI 3.1 document of these APIs. An operation stands under its first path; its other paths are in
 * `x-other-paths`. An operationId that an earlier operation has gets its API and method in front.
 *
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export function openApiDocument(version: string, apis: readonly ApiEndpoints[]): object {
  const paths = new Map<string, Record<string, object>>()
  const ids = new Set<string>()
  for (const { name, endpoints } of apis) {
    for (const endpoint of new Set(endpoints)) {
      const [path = '', ...others] = pathsOf(endpoint).map(templateOf)
      const id = ids.has(endpoint.id) ? `${name}-${endpoint.method.toLowerCase()}-${endpoint.id}` : endpoint.id
      ids.add(id)
      const operation = { operationId: id, tags: [name], ...operationOf(endpoint, path) }
      const item = paths.get(path) ?? {}
      paths.set(path, item)
      item[endpoint.method.toLowerCase()] = others.length === 0 ? operation : { ...operation, 'x-other-paths': others }
    }
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Myelin', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    tags: apis.map(({ name }) => ({ name })),
    paths: Object.fromEntries([...paths].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: { Error: ErrorSchema },
      responses: {
        Error: {
          description: 'An error. A 401 that asks for user-interactive authentication has `flows` as well.',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer' },
        serverSignature: { type: 'http', scheme: 'X-Matrix' },
      },
    },
  }
}

/** Returns the path of an endpoint with its parameters in braces. */
function templateOf(path: string): string {
  return path.replace(/:([^/]+)/g, '{$1}')
}

function operationOf(endpoint: AnyEndpoint, path: string): object {
  const { query, reply, replyType = 'application/json', access } = endpoint
  const body = requestBodyOf(endpoint)
  return {
    security: SECURITY[access],
    parameters: [...pathParametersOf(endpoint, path), ...queryParametersOf(query)],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: {
      200: { description: 'Success.', content: { [replyType]: { schema: withPrefixItems(reply) } } },
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

function pathParametersOf({ params }: AnyEndpoint, path: string): object[] {
  const { properties = {} }: ObjectSchema = params ?? {}
  return [...path.matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => {
    return { name, in: 'path', required: true, schema: properties[name] ?? { type: 'string' } }
  })
}

function queryParametersOf(query: TSchema | undefined): object[] {
  const { properties = {}, required = [] }: ObjectSchema = query ?? {}
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }))
}

function requestBodyOf({ body, bodyIsRaw, bodyMayBeAbsent = false }: AnyEndpoint): object | undefined {
  if (bodyIsRaw) return { required: true, content: { '*/*': { schema: { type: 'string', format: 'binary' } } } }
  return body && { required: !bodyMayBeAbsent, content: { 'application/json': { schema: body } } }
}

/** Returns a schema with its tuples in the words of JSON Schema 2020-12, which OpenAPI 3.1 uses. */
function withPrefixItems(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withPrefixItems)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, withPrefixItems(part)]))
  if (!Array.isArray(copy['items'])) return copy
  const { items, additionalItems: _, ...rest } = copy
  return { ...rest, prefixItems: items, items: false }
}
