// SPDX-License-Identifier: Apache-2.0

/** The type of events that only merge forward extremities, of this server and Synapse; clients never get them. */
export const MERGE_EVENT_TYPE = 'org.matrix.dummy_event'
