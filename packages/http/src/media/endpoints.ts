// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../endpoint.ts'
import { createContent } from './create-content.ts'
import { getConfigAuthed } from './get-config-authed.ts'
import { getConfig } from './get-config.ts'
import { getContentAuthed } from './get-content-authed.ts'
import { getContentOverrideNameAuthed } from './get-content-override-name-authed.ts'
import { getContentOverrideName } from './get-content-override-name.ts'
import { getContentThumbnailAuthed } from './get-content-thumbnail-authed.ts'
import { getContentThumbnail } from './get-content-thumbnail.ts'
import { getContent } from './get-content.ts'
import { getUrlPreviewAuthed } from './get-url-preview-authed.ts'
import { getUrlPreview } from './get-url-preview.ts'
import { uploadLimitPage } from './upload-limit-page.ts'
import { uploadContentToMXC } from './upload-content-to-mxc.ts'
import { uploadContent } from './upload-content.ts'

/** The media repository. */
export const mediaEndpoints: readonly AnyEndpoint[] = [
  createContent,
  getConfigAuthed,
  getConfig,
  getContentAuthed,
  getContentOverrideNameAuthed,
  getContentOverrideName,
  getContentThumbnailAuthed,
  getContentThumbnail,
  getContent,
  getUrlPreviewAuthed,
  getUrlPreview,
  uploadLimitPage,
  uploadContentToMXC,
  uploadContent,
]
