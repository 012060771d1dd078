// SPDX-License-Identifier: Apache-2.0
import { sendServerNotice } from '@myelin/services/directory/server-notice'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EventIdReply } from '../../room-replies.ts'
import { noticeOf, ServerNoticeBody } from './server-notice-body.ts'

/** Sends a server notice to a user, once for each transaction ID. The endpoint is Synapse's. */
export const synapseSendServerNoticeOnce = endpoint({
  id: 'synapseSendServerNoticeOnce',
  method: 'PUT',
  path: '/_synapse/admin/v1/send_server_notice/:txnId',
  access: 'admin',
  maxBodyBytes: MAX_BODY_BYTES.content,
  bodyIsCanonical: true,
  params: Type.Object({ txnId: Type.String() }),
  body: ServerNoticeBody,
  reply: EventIdReply,

  async handle({ params: { txnId }, body, requester }, rt) {
    // The admin's own transactions, apart from those of other admins and devices.
    const deviceId = `${requester.userId} ${requester.deviceId}`
    return { event_id: await sendServerNotice(rt, { ...noticeOf(body), transaction: { deviceId, txnId } }) }
  },
})
