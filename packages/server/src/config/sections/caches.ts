// SPDX-License-Identifier: Apache-2.0
import type { CacheSettings } from '@myelin/kit/settings'
import { Type } from 'typebox'
import { group, section, size } from '../values/section.ts'
import { sizeBytes } from '../values/units.ts'

/** Settings of caches. */
export const caches = section({
  title: 'Caches',
  fields: {
    event_cache_size: size({
      description: `The capacity of the event cache, in events, before it is multiplied by \`caches.global_factor\`.`,
      default: '20K',
    }),
    caches: group(
      {
        global_factor: Type.Number({
          description: `The factor that the capacity of every cache is multiplied by. A larger one costs memory and saves reads.`,
          exclusiveMinimum: 0,
          default: 0.5,
        }),
      },
      { description: `Settings of all caches.`, default: {} },
    ),
  },
  read(values): CacheSettings {
    return { events: Math.max(1, Math.round(sizeBytes(values.event_cache_size) * values.caches.global_factor)) }
  },
})
