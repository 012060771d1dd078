// SPDX-License-Identifier: Apache-2.0
import { sendServerNotice } from '@myelin/services/directory/server-notice'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EventIdReply } from '../../room-replies.ts'
import { noticeOf, ServerNoticeBody } from './server-notice-body.ts'

/** Sends a server notice to a user. The endpoint is Synapse's. */
export const synapseSendServerNotice = endpoint({
  id: 'synapseSendServerNotice',
  method: 'POST',
  path: '/_synapse/admin/v1/send_server_notice',
  access: 'admin',
  maxBodyBytes: MAX_BODY_BYTES.content,
  bodyIsCanonical: true,
  body: ServerNoticeBody,
  reply: EventIdReply,

  async handle({ body }, rt) {
    return { event_id: await sendServerNotice(rt, noticeOf(body)) }
  },
})
