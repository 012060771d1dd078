// SPDX-License-Identifier: Apache-2.0
import type { PushSettings } from '@myelin/kit/settings'
import { type Static, type TObject, Type } from 'typebox'
import { duration, group, section } from '../values/section.ts'
import { durationMs } from '../values/units.ts'

const fields = {
  push: group(
    {
      enabled: Type.Boolean({
        description: `Whether events are pushed to the gateways of users' apps.`,
        default: true,
      }),
      include_content: Type.Boolean({
        description: `Whether a push has the content of its event. Apps that ask for event IDs only never get it.`,
        default: true,
      }),
      group_unread_count_by_room: Type.Boolean({
        description: `Whether the badge of an app counts rooms with unread notifications; otherwise it counts the
notifications.`,
        default: true,
      }),
      jitter_delay: duration({
        description: `The longest random time that a push waits, so that its time does not reveal the sender of a message.`,
        default: 0,
      }),
    },
    { description: `Push notifications.`, default: {} },
  ),
  experimental_features: group(
    {
      msc4028_push_encrypted_events: Type.Boolean({
        description: `Whether all encrypted events are pushed, so that the app decides what notifies (MSC4028). Users can change
that by the push rule \`.org.matrix.msc4028.encrypted_event\`. Unread counts do not depend on it.`,
        default: false,
      }),
    },
    {
      description: `Features of Synapse that are off by default. Those that are always on here may be enabled as well.`,
      default: {},
    },
  ),
}

type Values = Static<TObject<typeof fields>>

/** Push notifications. */
export const push = section({
  title: 'Push notifications',
  fields,
  read({ push: values, experimental_features: features }: Values): PushSettings {
    return {
      isEnabled: values.enabled,
      includesContent: values.include_content,
      countsRooms: values.group_unread_count_by_room,
      withEncryptedEvents: features.msc4028_push_encrypted_events,
      jitterMs: durationMs(values.jitter_delay),
    }
  },
})
