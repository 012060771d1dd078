// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import type { MediaSettings } from '@myelin/kit/settings'
import { Type } from 'typebox'
import { duration, durationOrNull, group, path, section, size } from '../values/section.ts'
import { durationMs, sizeBytes } from '../values/units.ts'

/** Settings of the media store. */
export const media = section({
  title: 'Media',
  fields: {
    media_store_path: path({ description: `The folder of the media store.`, default: 'media_store' }),
    max_upload_size: size({
      description: `The maximum size of an upload. A reverse proxy has a limit of its own.`,
      default: '50M',
    }),
    max_image_pixels: size({
      description: `The maximum number of pixels of an image from which thumbnails are generated.`,
      default: '32M',
    }),
    enable_authenticated_media: Type.Boolean({
      description: `Serve media that are uploaded or fetched from now on to authenticated clients and servers only. Media from
before stay available without authentication, as old links need. If off, media of this server are served to everyone who
knows their URI.`,
      default: true,
    }),
    max_pending_media_uploads: Type.Integer({
      description: `The most media IDs that one user has reserved with \`POST /create\` and not used yet.`,
      minimum: 1,
      default: 5,
    }),
    unused_expiration_time: duration({
      description: `The time for which a reserved media ID can be used.`,
      default: '24h',
    }),
    prevent_media_downloads_from: Type.Array(Type.String(), {
      description: `The servers whose media are not served to users of this server, also if they are in its store.`,
      default: [],
      examples: [['evil.example.org']],
    }),
    media_retention: group(
      {
        remote_media_lifetime: Type.Optional(
          durationOrNull({
            description: `The time after the last access for which media of other servers are kept; without it, for ever. They are
downloaded again when someone asks for them.`,
          }),
        ),
      },
      { description: `How long media are kept.`, default: {}, examples: [{ remote_media_lifetime: '14d' }] },
    ),
    media_upload_limits: Type.Array(
      group(
        {
          max_size: size({ description: `The bytes that one user may upload in this time.` }),
          time_period: duration({ description: `The time, up to the present.` }),
          info_uri: Type.Optional(
            Type.String({
              description: `The page that explains the limit to users; by default one of this server.`,
            }),
          ),
          can_upgrade: Type.Boolean({
            description: `Whether users can get a higher limit, which clients say.`,
            default: false,
          }),
        },
        { description: `A limit.` },
      ),
      {
        description: `Limits of what one user uploads in a time. All of them apply.`,
        default: [],
        examples: [
          [
            { time_period: '1h', max_size: '100M' },
            { time_period: '1w', max_size: '500M' },
          ],
        ],
      },
    ),
  },
  read(values, reading): MediaSettings {
    for (const [index, { info_uri: uri }] of values.media_upload_limits.entries()) {
      if (uri !== undefined && !URL.canParse(uri))
        reading.fault(`media_upload_limits[${index}].info_uri`, 'must be a URL')
    }
    return {
      storePath: resolve(values.media_store_path),
      maxUploadBytes: sizeBytes(values.max_upload_size),
      maxImagePixels: sizeBytes(values.max_image_pixels),
      requiresAuthentication: values.enable_authenticated_media,
      maxPending: values.max_pending_media_uploads,
      unusedMs: durationMs(values.unused_expiration_time),
      blockedServers: values.prevent_media_downloads_from,
      remoteLifetimeMs: lifetimeOf(values.media_retention.remote_media_lifetime),
      uploadLimits: values.media_upload_limits.map((limit) => ({
        maxBytes: sizeBytes(limit.max_size),
        periodMs: durationMs(limit.time_period),
        infoUri: limit.info_uri,
        canUpgrade: limit.can_upgrade,
      })),
    }
  },
})

function lifetimeOf(value: number | string | null | undefined): number | undefined {
  return value === null || value === undefined ? undefined : durationMs(value)
}
