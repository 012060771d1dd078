// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getRoomStateWithKey } from './get-room-state-with-key.ts'
import { getRoomState } from './get-room-state.ts'
import { setRoomStateWithKey } from './set-room-state-with-key.ts'

/** Room state. */
export const stateEndpoints: readonly AnyEndpoint[] = [getRoomStateWithKey, getRoomState, setRoomStateWithKey]
