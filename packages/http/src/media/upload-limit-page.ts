// SPDX-License-Identifier: Apache-2.0
import { UPLOAD_LIMIT_PAGE } from '@myelin/services/media/upload-limits'
import { endpoint, Reply } from '../endpoint.ts'
import { TextSchema } from '../reply-schemas.ts'

const PAGE = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Upload limit</title></head>
<body><h1>Upload limit</h1><p>You have uploaded as much as this server allows in a period of time. Try again later, or ask its
administrator.</p></body>
</html>
`

/** Returns the page that explains the limits of `media_upload_limits`. */
export const uploadLimitPage = endpoint({
  id: 'uploadLimitPage',
  method: 'GET',
  path: UPLOAD_LIMIT_PAGE,
  access: 'none',
  reply: TextSchema,
  replyType: 'text/html',

  handle: async () =>
    new Reply(200, PAGE, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    }),
})
