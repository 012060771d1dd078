// SPDX-License-Identifier: Apache-2.0
import type { CacheSettings } from '@myelin/kit/settings'
import { Type } from 'typebox'
import { group, section, size } from '../section.ts'
import { sizeBytes } from '../units.ts'

/** How much is kept in memory. */
export const caches = section({
  title: 'Caches',
  fields: {
    event_cache_size: size({
      description: `How many events are kept in memory, before it is multiplied by \`caches.global_factor\`.`,
      default: '20K',
    }),
    caches: group(
      {
        global_factor: Type.Number({
          description: `What the size of every cache is multiplied by: more memory for fewer reads.`,
          exclusiveMinimum: 0,
          default: 0.5,
        }),
      },
      { description: `All caches.`, default: {} },
    ),
  },
  read(values): CacheSettings {
    return { events: Math.max(1, Math.round(sizeBytes(values.event_cache_size) * values.caches.global_factor)) }
  },
})
