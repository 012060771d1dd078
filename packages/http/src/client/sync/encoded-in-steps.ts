// SPDX-License-Identifier: Apache-2.0
import { encodeLongJson, RawJson } from '@myelin/kit/raw-json'

/** Returns a reply that may have megabytes as JSON, encoded in steps between which other requests are handled. */
export async function encodedInSteps(reply: Promise<object>): Promise<RawJson> {
  return new RawJson(await encodeLongJson(await reply))
}
