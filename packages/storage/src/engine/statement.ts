// SPDX-License-Identifier: Apache-2.0
import { AliasNode, TableNode } from 'kysely'
import type { OperationNode, RootOperationNode } from 'kysely'
import type { Tables } from '../schema/schema.ts'

/** The table and columns that a statement writes; one object for all statements of one text. */
export interface WriteTarget {
  readonly table: keyof Tables
  /** The column that each parameter sets or is compared with; undefined for other parameters. */
  readonly columns: readonly (string | undefined)[]
  /** The text before the values, if the statement only inserts one row. */
  readonly insertHead?: string
}

/** A compiled statement that writes, with its values. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly target: WriteTarget
}

/**
 * A statement failed and its whole batch was rolled back. Nothing of the batch is on disk for certain, so its units may run
 * again.
 */
export class BatchRefused extends Error {
  override readonly name = 'BatchRefused'

  constructor(cause: unknown) {
    super('a batch was rolled back', { cause })
  }
}

/** Returns the table that a query writes; undefined if it only reads. */
export function tableWrittenBy(query: RootOperationNode): keyof Tables | undefined {
  if (query.kind === 'InsertQueryNode') return tableOf(query.into)
  if (query.kind === 'UpdateQueryNode') return tableOf(query.table)
  return query.kind === 'DeleteQueryNode' ? tableOf(query.from.froms[0]) : undefined
}

function tableOf(node: OperationNode | undefined): keyof Tables | undefined {
  if (node && AliasNode.is(node)) return tableOf(node.node)
  // Queries are built from the names of `Tables` only.
  return node && TableNode.is(node) ? (node.table.identifier.name as keyof Tables) : undefined
}
