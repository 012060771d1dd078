// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { oneOf } from '../schemas.ts'

const Pixels = Type.Integer({ minimum: 1, maximum: 1_000_000 })

/** The query parameters of thumbnails, from clients and from servers. */
export const thumbnailQuery = {
  width: Pixels,
  height: Pixels,
  method: Type.Optional(oneOf(['crop', 'scale'])),
  animated: Type.Optional(Type.Boolean()),
}
