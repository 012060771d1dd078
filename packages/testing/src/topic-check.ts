// SPDX-License-Identifier: Apache-2.0
import type { Kysely, KyselyPlugin, RootOperationNode } from 'kysely'
import type { Database, Tx } from '@myelin/storage/engine/database'
import { EVERY_TOPIC } from '@myelin/storage/engine/topic-positions'
import type { KnownRows } from '@myelin/storage/engine/known-rows'
import { tableWrittenBy } from '@myelin/storage/engine/statement'
import type { Statement } from '@myelin/storage/engine/statement'
import { tableTopics } from '@myelin/storage/engine/table-topics'
import type { TopicRule } from '@myelin/storage/engine/table-topics'
import type { Tables } from '@myelin/storage/schema/schema'
import { writtenRows } from './written-rows.ts'
import type { WrittenRow } from './written-rows.ts'

/** The names behind numbers, of all users and rooms that were written through a checked database. */
type Names = Readonly<Record<'users' | 'rooms', Map<unknown, string>>>

/**
 * Returns the database with a check of its write transactions: one that writes a table without touching a topic that
 * `tableTopics` requires fails, and the test with it.
 *
 * If a statement does not determine the row it writes, any topic of the kind suffices.
 */
export function withTopicCheck(database: Database): Database {
  const names: Names = { users: new Map(), rooms: new Map() }
  const write: Database['write'] = (work) =>
    database.write(async (tx) => {
      const checked = new CheckedTx(tx)
      const result = await work(checked)
      learnNames(names, checked.rows)
      const missing = missingTopics(checked, names)
      if (missing.length > 0) throw new Error(`a unit did not touch its topics: ${missing.join('; ')}`)
      return result
    })
  return { ...database, write }
}

function learnNames({ users, rooms }: Names, written: readonly WrittenRow[]): void {
  for (const { table, row } of written) {
    if (table === 'users' && typeof row['user_id'] === 'string') users.set(row['user_nid'], row['user_id'])
    if (table === 'rooms' && typeof row['room_id'] === 'string') rooms.set(row['room_nid'], row['room_id'])
  }
}

function missingTopics({ rows, topics }: CheckedTx, names: Names): string[] {
  const missing = new Set<string>()
  for (const written of rows) {
    const rules = tableTopics[written.table]
    if ('uncached' in rules) continue
    for (const rule of rules as unknown as readonly TopicRule<Record<string, unknown>>[]) {
      if (!concerns(rule, written) || isTouched(rule, written, { topics, names })) continue
      missing.add(
        `${written.kind} of ${written.table} (${written.set.join(', ')}) without ${topicOf(rule, keyOf(rule, written, names) ?? '?')}`,
      )
    }
  }
  return [...missing]
}

function concerns({ on, when }: TopicRule<Record<string, unknown>>, { kind, row, set }: WrittenRow): boolean {
  const isOn = on === undefined || on.includes(kind) || (kind === 'update' && set.some((column) => on.includes(column)))
  return isOn && (when?.(row) ?? true)
}

/** Returns the key of the topic; undefined if the write does not determine it. */
function keyOf({ by, nameIn }: TopicRule<Record<string, unknown>>, { table, row }: WrittenRow, names: Names): unknown {
  if (nameIn !== undefined) return names[nameIn].get(row[by])
  return row[by] ?? (table === 'rooms' ? names.rooms.get(row['room_nid']) : undefined)
}

const topicOf = ({ topic }: TopicRule<Record<string, unknown>>, key: unknown) => topic(key as never)

function isTouched(
  rule: TopicRule<Record<string, unknown>>,
  written: WrittenRow,
  { topics, names }: { readonly topics: ReadonlySet<string>; readonly names: Names },
): boolean {
  if (topics.has(EVERY_TOPIC)) return true
  const key = keyOf(rule, written, names)
  if (key !== undefined) return topics.has(topicOf(rule, key))
  // A topic that is a bare id has no words of its own.
  const words = topicOf(rule, '')
  if (words !== '') return [...topics].some((topic) => topic.startsWith(words))
  const sigil = rule.nameIn === 'rooms' || rule.by.startsWith('room') ? '!' : '@'
  return [...topics].some((topic) => topic.startsWith(sigil))
}

type Builders = Kysely<Tables>

/** A write transaction that records its writes and touched topics. */
class CheckedTx implements Tx {
  readonly #tx: Tx
  readonly rows: WrittenRow[] = []
  readonly topics = new Set<string>()
  readonly known: KnownRows

  constructor(tx: Tx) {
    this.#tx = tx
    const { known } = tx
    this.known = {
      row: (kind, key) => known.row(kind, key),
      keep: (kind, row) => known.keep(kind, row),
      change: (kind, row) => {
        this.rows.push({
          table: kind.table,
          kind: 'update',
          row: Object.fromEntries(Object.entries(row)),
          set: Object.keys(row),
        })
        known.change(kind, row)
      },
      note: (key) => known.note(key),
      isUnnoted: (key, since) => known.isUnnoted(key, since),
    }
  }

  get caches(): Tx['caches'] {
    return this.#tx.caches
  }
  get topicPositions(): Tx['topicPositions'] {
    return this.#tx.topicPositions
  }
  get dialect(): string {
    return this.#tx.dialect
  }
  get search(): Tx['search'] {
    return this.#tx.search
  }
  get selectFrom(): Tx['selectFrom'] {
    return this.#tx.selectFrom
  }
  get with(): Tx['with'] {
    return this.#tx.with
  }
  get withRecursive(): Tx['withRecursive'] {
    return this.#tx.withRecursive
  }
  get insertInto(): Tx['insertInto'] {
    const insertInto: Builders['insertInto'] = (table) => this.#tx.insertInto(table).withPlugin(this.#recorder)
    return insertInto
  }
  get updateTable(): Tx['updateTable'] {
    const { updateTable } = this.#tx
    return ((table: keyof Tables) => updateTable(table).withPlugin(this.#recorder)) as Tx['updateTable']
  }
  get deleteFrom(): Tx['deleteFrom'] {
    const { deleteFrom } = this.#tx
    return ((table: keyof Tables) => deleteFrom(table).withPlugin(this.#recorder)) as Tx['deleteFrom']
  }

  /** Records queries that changed rows, with the values that they set or compare. */
  readonly #recorder: KyselyPlugin = (() => {
    const nodes = new WeakMap<object, RootOperationNode>()
    return {
      transformQuery: ({ queryId, node }) => {
        if (tableWrittenBy(node) !== undefined) nodes.set(queryId, node)
        return node
      },
      transformResult: async ({ queryId, result }) => {
        const node = nodes.get(queryId)
        const isChanged = result.rows.length > 0 || (result.numAffectedRows ?? 0n) > 0n
        if (node && isChanged) this.rows.push(...writtenRows(node, result.rows))
        return result
      },
    }
  })()

  run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    return this.#tx.run<Row>(sql, parameters)
  }
  send(statement: Statement): Promise<void> | undefined {
    const { target, parameters } = statement
    const width = new Set(target.columns).size
    for (let start = 0; start < parameters.length; start += width) {
      const columns = target.columns.slice(start, start + width)
      const row = Object.fromEntries(columns.map((column, index) => [column, parameters[start + index]]))
      this.rows.push({ table: target.table, kind: 'insert', row, set: [] })
    }
    return this.#tx.send(statement)
  }
  takePosition(): number {
    return this.#tx.takePosition()
  }
  takeNid(): number {
    return this.#tx.takeNid()
  }
  touch(topic: string): void {
    this.topics.add(topic)
    this.#tx.touch(topic)
  }
  onCommit(task: () => void): void {
    this.#tx.onCommit(task)
  }
}
