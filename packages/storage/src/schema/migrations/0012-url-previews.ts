// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** Previews of web pages, the expiry of their images, and the indexes of media by content and by uploader. */
export const urlPreviews: Migration = {
  id: 12,
  compatVersion: 11,
  statements: [
    `create table url_previews (url_hash {bytes} primary key, expires_ts bigint not null, is_failure bigint not null,
      answer text not null)`,
    'create index url_previews_by_expiry on url_previews (expires_ts)',
    'create table preview_images (media_id text primary key, expires_ts bigint not null)',
    'create index preview_images_by_expiry on preview_images (expires_ts)',
    'create index media_by_content on media (sha256)',
    'create index media_by_uploader on media (user_id, created_ts)',
  ],
}
