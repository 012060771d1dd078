// SPDX-License-Identifier: Apache-2.0

/** The nodes that share a database with this one, told of what is on no disk: a message may be lost, and comes at most once. */
export interface OtherNodes {
  /** Tells all of them; returns at once. A message of more than 4,000 bytes, or with a NUL, is lost. */
  readonly tell: (message: string) => void
  /** Hears what they tell, until the returned function is called. What it hears was written by a node, not by a stranger. */
  readonly listen: (heard: (message: string) => void) => () => void
}

/** For a database that has one node. */
export const noOtherNodes: OtherNodes = { tell: () => {}, listen: () => () => {} }
