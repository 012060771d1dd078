// SPDX-License-Identifier: Apache-2.0
import type { Bytes } from './scalars.ts'

/** The tables of URL previews. */
export interface PreviewTables {
  /** The last preview of a URL, by the SHA-256 of the URL. `answer` is a JSON object; of a failed preview, an error text. */
  url_previews: { url_hash: Bytes; expires_ts: number; is_failure: number; answer: string }
  /** The media of this server that were fetched for previews. They expire. */
  preview_images: { media_id: string; expires_ts: number }
}
