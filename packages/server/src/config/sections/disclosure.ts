// SPDX-License-Identifier: Apache-2.0
import type { DisclosureSettings } from '@myelin/kit/settings'
import { Type } from 'typebox'
import { section } from '../section.ts'

/** What other servers are told beyond what they must know. */
export const disclosure = section({
  title: 'What other servers are told',
  fields: {
    allow_profile_lookup_over_federation: Type.Boolean({
      description: `Whether other servers may ask for the names and pictures of this server's users.`,
      default: true,
    }),
    allow_public_rooms_over_federation: Type.Boolean({
      description: `Whether other servers may read this server's room directory.`,
      default: false,
    }),
    allow_device_name_lookup_over_federation: Type.Boolean({
      description: `Whether other servers are told what people call their devices.`,
      default: false,
    }),
  },
  read(values): DisclosureSettings {
    return {
      tellsProfiles: values.allow_profile_lookup_over_federation,
      tellsPublicRooms: values.allow_public_rooms_over_federation,
      tellsDeviceNames: values.allow_device_name_lookup_over_federation,
    }
  },
})
