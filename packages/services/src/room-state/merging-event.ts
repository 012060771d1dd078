// SPDX-License-Identifier: Apache-2.0

/** The type of events that only bring the heads of a graph together, ours and Synapse's; no client is shown them. */
export const MERGING = 'org.matrix.dummy_event'
