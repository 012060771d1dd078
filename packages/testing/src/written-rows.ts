// SPDX-License-Identifier: Apache-2.0
import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  OperatorNode,
  ParensNode,
  PrimitiveValueListNode,
  ReferenceNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
} from 'kysely'
import type { OperationNode, RootOperationNode } from 'kysely'
import { tableWrittenBy } from '@myelin/storage/engine/statement'
import type { Tables } from '@myelin/storage/schema/schema'

/** A row that a statement writes, as far as the statement determines it. */
export interface WrittenRow {
  readonly table: keyof Tables
  readonly kind: 'insert' | 'update' | 'delete'
  /** The values of columns that the statement sets or compares. */
  readonly row: Readonly<Record<string, unknown>>
  /** The columns that an update sets. */
  readonly set: readonly string[]
}

/** Returns the rows that a writing query determines; `returned` are the rows that it returned. */
export function writtenRows(
  query: RootOperationNode,
  returned: readonly Readonly<Record<string, unknown>>[],
): WrittenRow[] {
  const table = tableWrittenBy(query)
  if (table === undefined) return []
  if (query.kind === 'InsertQueryNode') {
    const columns = (query.columns ?? []).map(nameOf)
    const rows = insertedRows(query.values, columns)
    return rows.map((row) => ({ table, kind: 'insert', row, set: [] }))
  }
  const where = 'where' in query && query.where ? comparedWith(query.where.where) : [{}]
  const updates = query.kind === 'UpdateQueryNode' ? (query.updates ?? []) : []
  const set = updates.map(({ column }) => nameOf(column))
  const changed = Object.fromEntries(
    updates.flatMap(({ column, value }) => (ValueNode.is(value) ? [[nameOf(column), value.value]] : [])),
  )
  const kind = query.kind === 'UpdateQueryNode' ? 'update' : 'delete'
  const known = returned.length > 0 ? returned : [{}]
  return where.flatMap((row) => known.map((answer) => ({ table, kind, row: { ...row, ...answer, ...changed }, set })))
}

function insertedRows(
  values: OperationNode | undefined,
  columns: readonly string[],
): Readonly<Record<string, unknown>>[] {
  if (!values || !ValuesNode.is(values)) return [{}]
  return values.values.map((item) => {
    const all = PrimitiveValueListNode.is(item)
      ? item.values
      : (ValueListNode.is(item) ? item.values : []).map((value) => (ValueNode.is(value) ? value.value : undefined))
    return Object.fromEntries(columns.map((column, index) => [column, all[index]]))
  })
}

/** Returns the column values that a condition determines, for each row that it names. */
function comparedWith(condition: OperationNode): Readonly<Record<string, unknown>>[] {
  if (ParensNode.is(condition)) return comparedWith(condition.node)
  if (AndNode.is(condition)) {
    const right = comparedWith(condition.right)
    return comparedWith(condition.left).flatMap((row) => right.map((more) => ({ ...row, ...more })))
  }
  if (!BinaryOperationNode.is(condition) || !OperatorNode.is(condition.operator)) return [{}]
  const { leftOperand: left, operator, rightOperand: right } = condition
  if (!ReferenceNode.is(left) || !ColumnNode.is(left.column)) return [{}]
  const column = nameOf(left.column)
  if (operator.operator === '=' && ValueNode.is(right)) return [{ [column]: right.value }]
  return [{}]
}

function nameOf(column: OperationNode): string {
  if (ReferenceNode.is(column)) return nameOf(column.column)
  return ColumnNode.is(column) ? column.column.name : ''
}
