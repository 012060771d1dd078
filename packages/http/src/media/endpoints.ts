// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../endpoint.ts'
import { getConfig, getConfigAuthed } from './config.ts'
import { getContent, getContentAuthed, getContentOverrideName, getContentOverrideNameAuthed } from './download.ts'
import { getContentThumbnail, getContentThumbnailAuthed } from './thumbnail.ts'
import { createContent, uploadContent, uploadContentToMXC } from './upload.ts'

/** Files: uploaded, downloaded, made small. */
export const mediaEndpoints: readonly AnyEndpoint[] = [
  uploadContent,
  createContent,
  uploadContentToMXC,
  getContentAuthed,
  getContentOverrideNameAuthed,
  getContentThumbnailAuthed,
  getConfigAuthed,
  getContent,
  getContentOverrideName,
  getContentThumbnail,
  getConfig,
]
