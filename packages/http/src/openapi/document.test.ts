// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Type } from 'typebox'
import { servedApis } from './served-apis.ts'
import { endpoint } from '../endpoint.ts'
import { openApiDocument } from './document.ts'
import { EmptySchema } from '../reply-schemas.ts'

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly security: readonly Readonly<Record<string, unknown>>[]
  readonly parameters: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly schema: object
  }[]
  readonly requestBody?: {
    readonly required: boolean
    readonly content: Readonly<Record<string, { readonly schema: object }>>
  }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly securitySchemes: object; readonly responses: object; readonly schemas: object }
}

// As it is written: what JSON does not carry is not part of it.
const written = (apis: typeof servedApis) => JSON.parse(JSON.stringify(openApiDocument('1.0.0', apis))) as Document
const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  )

describe('the OpenAPI document', () => {
  const document = written(servedApis)
  const operations = operationsOf(document)

  test('has every endpoint once, under an operationId of its own', () => {
    const mounted = servedApis.flatMap(({ endpoints }) => endpoints)
    assert.equal(operations.length, mounted.length)
    assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length)
    for (const { id } of mounted) {
      assert.ok(
        operations.some(({ operation }) => operation.operationId.split('-').at(-1) === id),
        id,
      )
    }
  })

  test('has valid JSON Schemas only', () => {
    const ajv = new Ajv2020({ strict: false })
    for (const { operation } of operations) {
      const bodies = [operation.requestBody, ...Object.values(operation.responses)]
      const schemas = bodies.flatMap((body) => Object.values(body?.content ?? {}).map(({ schema }) => schema))
      for (const schema of [...schemas, ...operation.parameters.map((each) => each.schema)]) {
        assert.equal(ajv.validateSchema(schema), true, `${operation.operationId}: ${ajv.errorsText()}`)
      }
    }
  })

  test('declares the parameters of each path, and each parameter once', () => {
    for (const { path, operation } of operations) {
      const inPath = operation.parameters.filter((each) => each.in === 'path')
      assert.deepEqual(
        inPath.map(({ name }) => name),
        [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name),
        path,
      )
      assert.ok(inPath.every(({ required }) => required))
      const names = operation.parameters.map((each) => `${each.in} ${each.name}`)
      assert.equal(new Set(names).size, names.length, path)
    }
  })

  test('has no two paths that differ in the names of parameters only', () => {
    const shapes = Object.keys(document.paths).map((path) => path.replace(/\{[^}]+\}/g, '{}'))
    assert.equal(new Set(shapes).size, shapes.length)
  })

  test('refers to what is there only', () => {
    const schemes = new Set(Object.keys(document.components.securitySchemes))
    for (const { operation } of operations) {
      for (const name of operation.security.flatMap((each) => Object.keys(each))) assert.ok(schemes.has(name), name)
    }
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)
    const components = document.components as unknown as Record<string, Record<string, unknown>>
    let count = 0
    for (const [, kind = '', name = ''] of references) {
      assert.ok(components[kind]?.[name], `${kind} ${name}`)
      count++
    }
    assert.equal(count, operations.length + 1)
  })

  test('describes an endpoint as it was declared', () => {
    const probe = endpoint({
      id: 'probe',
      method: 'PUT',
      path: ['/_matrix/client/v3/probe/:name', '/older/:name/probe'],
      access: 'optional',
      params: Type.Object({ name: Type.String({ maxLength: 5 }) }),
      query: Type.Object({ ts: Type.Integer(), via: Type.Optional(Type.String()) }),
      body: Type.Object({ reason: Type.String() }),
      bodyMayBeAbsent: true,
      reply: EmptySchema,
      handle: async () => ({}),
    })
    const [found] = operationsOf(written([{ name: 'client-server', endpoints: [probe] }]))
    assert.deepEqual(found, {
      path: '/_matrix/client/v3/probe/{name}',
      method: 'put',
      operation: {
        operationId: 'probe',
        tags: ['client-server'],
        security: [{}, { accessToken: [] }],
        parameters: [
          { name: 'name', in: 'path', required: true, schema: { type: 'string', maxLength: 5 } },
          { name: 'ts', in: 'query', required: true, schema: { type: 'integer' } },
          { name: 'via', in: 'query', required: false, schema: { type: 'string' } },
        ],
        requestBody: {
          required: false,
          content: {
            'application/json': {
              schema: { type: 'object', required: ['reason'], properties: { reason: { type: 'string' } } },
            },
          },
        },
        responses: {
          200: {
            description: 'Success.',
            content: { 'application/json': { schema: { type: 'object', properties: {} } } },
          },
          default: { $ref: '#/components/responses/Error' },
        },
        'x-other-paths': ['/_matrix/client/r0/probe/{name}', '/older/{name}/probe'],
      },
    })
  })
})
