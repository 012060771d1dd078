// SPDX-License-Identifier: Apache-2.0

/**
 * Messages between the nodes of a database. They are stored nowhere: a message may be lost, and is delivered at most
 * once.
 */
export interface OtherNodes {
  /**
   * Sends a message to all other nodes; returns at once. A message of more than 4,000 bytes, or with a NUL, is lost.
   */
  readonly send: (message: string) => void
  /**
   * Calls a function with each message of other nodes until the returned function is called. Messages come from nodes,
   * so they are trusted.
   */
  readonly listen: (onMessage: (message: string) => void) => () => void
}

/** For a database that has one node. */
export const noOtherNodes: OtherNodes = { send: () => {}, listen: () => () => {} }
