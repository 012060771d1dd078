// SPDX-License-Identifier: Apache-2.0
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'

/** A Kysely driver of one permanent connection, without transactions. */
export class SingleConnectionDriver implements Driver {
  readonly #connection: DatabaseConnection

  constructor(connection: DatabaseConnection) {
    this.#connection = connection
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }
  async beginTransaction(): Promise<void> {
    throw new Error('transactions are opened by group commit only')
  }
  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

/** Returns a Kysely connection that sends its queries to a function. */
export function asConnection(
  execute: <Row>(query: CompiledQuery<Row>) => Promise<QueryResult<Row>>,
): DatabaseConnection {
  return {
    executeQuery: <Row>(query: CompiledQuery) => execute<Row>(query as CompiledQuery<Row>),
    streamQuery: () => {
      throw new Error('results are not streamed')
    },
  }
}
