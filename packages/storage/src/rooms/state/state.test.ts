// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import type { Nid } from '../../schema/schema.ts'
import { changeState, stateAt, stateDifference, statesAt, wholeState } from './state.ts'
import { decodeNode, EMPTY_STATE, encodeNode } from '../../schema/state-trie.ts'

const key = fc.oneof(fc.nat(200), fc.nat(100_000), fc.constantFrom(1, 33, 1025, 32_769, 2 ** 40 + 1))
const change = fc.record({ key, event: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }) })

function apply(model: ReadonlyMap<Nid, Nid>, changes: readonly { key: Nid; event: Nid | undefined }[]): Map<Nid, Nid> {
  const next = new Map(model)
  for (const { key: at, event } of changes) {
    if (event === undefined) next.delete(at)
    else next.set(at, event)
  }
  return next
}

const sorted = (map: ReadonlyMap<Nid, Nid>) => [...map].toSorted(([a], [b]) => a - b)

onEveryDatabase('the state trie', (open) => {
  test('behaves like a map, whatever is set and taken out', async () => {
    const db = await open()
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 120 }), async (changes) => {
        const root = await db.write((tx) => changeState(tx, EMPTY_STATE, changes))
        const model = apply(new Map(), changes)
        assert.deepEqual(sorted(await wholeState(db.read, root)), sorted(model))
        for (const { key: at } of changes) assert.equal(await stateAt(db.read, root, at), model.get(at))
      }),
      { numRuns: 25 },
    )
    await db.close()
  })

  test('gives equal states equal roots, whatever way they came about', async () => {
    const db = await open()
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 100 }),
        fc.array(change, { maxLength: 100 }),
        async (first, detour) => {
          const straight = apply(new Map(), first)
          const [one, other] = await db.write(async (tx) => {
            const root = await changeState(tx, EMPTY_STATE, first)
            const away = await changeState(tx, root, detour)
            const back = detour.map(({ key: at }) => ({ key: at, event: straight.get(at) }))
            return [root, await changeState(tx, away, back)]
          })
          assert.equal(other, one)
        },
      ),
      { numRuns: 25 },
    )
    await db.close()
  })

  test('returns exactly the keys in which two states differ', async () => {
    const db = await open()
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 100 }),
        fc.array(change, { maxLength: 20 }),
        async (first, more) => {
          const before = apply(new Map(), first)
          const after = apply(before, more)
          const [a, b] = await db.write(async (tx) => {
            const root = await changeState(tx, EMPTY_STATE, first)
            return [root, await changeState(tx, root, more)] as const
          })
          const shown = await stateDifference(db.read, a, b)
          const expected = [...new Set([...before.keys(), ...after.keys()])]
            .filter((at) => before.get(at) !== after.get(at))
            .map((at) => ({ key: at, before: before.get(at), after: after.get(at) }))
          assert.deepEqual(
            shown.toSorted((x, y) => x.key - y.key),
            expected.toSorted((x, y) => x.key - y.key),
          )
        },
      ),
      { numRuns: 25 },
    )
    await db.close()
  })

  test('returns the event of a key in each of many states', async () => {
    const db = await open()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(change, { maxLength: 60 }), { maxLength: 4 }),
        change,
        async (lists, asked) => {
          const entries = new Map<number, ReadonlyMap<number, number>>([[EMPTY_STATE, new Map()]])
          let [root, state] = [EMPTY_STATE, new Map<number, number>()]
          for (const changes of lists) {
            root = await db.write((tx) => changeState(tx, root, changes))
            state = apply(state, changes)
            entries.set(root, state)
          }
          const expected = [...entries].flatMap(([at, holds]) => {
            const event = holds.get(asked.key)
            return event === undefined ? [] : [[at, event] as const]
          })
          const roots = [...entries.keys()]
          assert.deepEqual(await statesAt(db.read, [...roots, ...roots], asked.key), new Map(expected))
        },
      ),
      { numRuns: 25 },
    )
    await db.close()
  })

  test('writes a handful of nodes for one change in a room of two thousand', async () => {
    const db = await open()
    const many = Array.from({ length: 2000 }, (_, index) => ({ key: index + 1, event: index + 1 }))
    const root = await db.write((tx) => changeState(tx, EMPTY_STATE, many))
    const count = async () => {
      const row = await db.read
        .selectFrom('state_nodes')
        .select((row) => row.fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow()
      return Number(row.n)
    }
    const before = await count()
    await db.write((tx) => changeState(tx, root, [{ key: 77, event: 5 }]))
    assert.ok((await count()) - before <= 4)
    await db.close()
  })
})

test('a node is read back as it was written', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(2 ** 31), { maxLength: 32 }), fc.maxSafeNat(), (keys, event) => {
      const node = {
        keys: keys.toSorted((a, b) => a - b),
        events: keys.map((_, index) => (event + index) % Number.MAX_SAFE_INTEGER),
      }
      assert.deepEqual(decodeNode(encodeNode(node)), node)
    }),
  )
})
