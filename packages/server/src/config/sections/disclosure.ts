// SPDX-License-Identifier: Apache-2.0
import type { DisclosureSettings } from '@myelin/kit/settings'
import { Type } from 'typebox'
import { section } from '../values/section.ts'

/** Settings for what other servers may read beyond what federation requires. */
export const disclosure = section({
  title: 'Disclosure to other servers',
  fields: {
    allow_profile_lookup_over_federation: Type.Boolean({
      description: `Whether other servers may read the profiles of this server's users.`,
      default: true,
    }),
    allow_public_rooms_over_federation: Type.Boolean({
      description: `Whether other servers may read the room directory of this server.`,
      default: false,
    }),
    allow_device_name_lookup_over_federation: Type.Boolean({
      description: `Whether device lists sent to other servers contain the display names of devices.`,
      default: false,
    }),
  },
  read(values): DisclosureSettings {
    return {
      allowsProfileLookup: values.allow_profile_lookup_over_federation,
      allowsPublicRooms: values.allow_public_rooms_over_federation,
      allowsDeviceNames: values.allow_device_name_lookup_over_federation,
    }
  },
})
