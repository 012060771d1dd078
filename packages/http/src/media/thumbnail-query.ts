// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'

const Pixels = Type.Integer({ minimum: 1, maximum: 1_000_000 })

/** What clients and servers say of the thumbnail they want. */
export const thumbnailQuery = {
  width: Pixels,
  height: Pixels,
  method: Type.Optional(Type.Union([Type.Literal('crop'), Type.Literal('scale')])),
  animated: Type.Optional(Type.Boolean()),
}
