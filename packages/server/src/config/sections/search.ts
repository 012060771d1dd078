// SPDX-License-Identifier: Apache-2.0
import type { SearchSettings } from '@myelin/kit/settings'
import { type Static, type TObject, Type } from 'typebox'
import { section } from '../values/section.ts'

const fields = {
  enable_search: Type.Boolean({
    description: `Whether users may search for messages on the server. If not, no events are indexed; those that were sent in
the meantime are indexed once it is enabled again.`,
    default: true,
  }),
}

type Values = Static<TObject<typeof fields>>

/** The search for events. */
export const search = section({
  title: 'Search',
  fields,
  read: (values: Values): SearchSettings => ({ isEnabled: values.enable_search }),
})
