// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test'
import { Type } from 'typebox'
import { endpoint, Reply } from './endpoint.ts'
import { EmptySchema } from './reply-schemas.ts'

const common = { id: 'probe', method: 'GET', path: '/probe', access: 'none' } as const
const Named = Type.Object({ name: Type.String(), age: Type.Optional(Type.Integer()) })

// Checked by the compiler: an expected error that does not occur is an error.
test('a handler whose reply does not have the type of its schema does not compile', () => {
  endpoint({ ...common, reply: Named, handle: async () => ({ name: 'x' }) })
  endpoint({ ...common, reply: Named, handle: async () => new Reply(201, { name: 'x', age: 1 }) })
  // @ts-expect-error a required member is missing
  endpoint({ ...common, reply: Named, handle: async () => ({ age: 1 }) })
  // @ts-expect-error a member has another type
  endpoint({ ...common, reply: Named, handle: async () => ({ name: 1 }) })
  // @ts-expect-error an optional member is misspelt
  endpoint({ ...common, reply: Named, handle: async () => ({ name: 'x', aeg: 1 }) })
  // @ts-expect-error an optional member is misspelt in a reply with a status
  endpoint({ ...common, reply: Named, handle: async () => new Reply(201, { name: 'x', aeg: 1 }) })
  // @ts-expect-error an empty reply has no members
  endpoint({ ...common, reply: EmptySchema, handle: async () => ({ name: 'x' }) })
})
