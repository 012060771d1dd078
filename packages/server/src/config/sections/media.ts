// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import type { MediaSettings } from '@myelin/kit/settings'
import { Type } from 'typebox'
import { path, section, size } from '../values/section.ts'
import { sizeBytes } from '../values/units.ts'

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
  },
  read(values): MediaSettings {
    return {
      storePath: resolve(values.media_store_path),
      maxUploadBytes: sizeBytes(values.max_upload_size),
      maxImagePixels: sizeBytes(values.max_image_pixels),
      requiresAuthentication: values.enable_authenticated_media,
    }
  },
})
