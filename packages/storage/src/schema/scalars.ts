// SPDX-License-Identifier: Apache-2.0

/** A place in the log: the total order in which this server learned things. */
export type Position = number
/** The number storage gives a name (room, user, event, state key, trie node). Drawn from the log, so unique among all of them; never leaves storage. */
export type Nid = number
/** Bytes as both engines return them. */
export type Bytes = Uint8Array
