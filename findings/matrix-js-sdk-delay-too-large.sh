#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# matrix-js-sdk 43.0.0: the delay of a call's leave is lowered only for the error of an early draft of MSC4140.
#
# A server that allows shorter delays than the client asks for answers 400. Synapse 1.163 does so with the code
# ORG.MATRIX.MSC4140_DELAY_TOO_LARGE. MembershipManager does not know it: it asks no second time, so the call has no delayed
# leave. With M_UNKNOWN and org.matrix.msc4140.errcode M_MAX_DELAY_EXCEEDED it asks again with org.matrix.msc4140.max_delay.
#
# Seen with Node 26.10.0:
#   {"answer":"synapse","delays":[8000]}
#   {"answer":"draft","delays":[8000,5000]}
#
# Exits with 1 when that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"type":"module"}' > package.json
npm install --silent --no-audit --no-fund matrix-js-sdk@43.0.0
cat > delay.js <<'JS'
import { MatrixError } from 'matrix-js-sdk'
import { MembershipManager } from 'matrix-js-sdk/lib/matrixrtc/MembershipManager.js'
const answers = {
  synapse: { errcode: 'ORG.MATRIX.MSC4140_DELAY_TOO_LARGE', error: 'The requested delay (8000ms) exceeds the allowed maximum (5000ms)' },
  draft: { errcode: 'M_UNKNOWN', error: 'too long', 'org.matrix.msc4140.errcode': 'M_MAX_DELAY_EXCEEDED', 'org.matrix.msc4140.max_delay': 5000 },
}
const delays = []
const client = {
  getUserId: () => '@me:example.org',
  getDeviceId: () => 'DEVICE',
  sendStateEvent: async () => ({ event_id: '$membership' }),
  _unstable_sendDelayedStateEvent: async (_room, { delay }) => {
    delays.push(delay)
    if (delay > 5000) throw new MatrixError(answers[process.argv[2]], 400)
    return { delay_id: 'id' }
  },
  _unstable_restartScheduledDelayedEvent: async () => ({}),
  _unstable_cancelScheduledDelayedEvent: async () => ({}),
  _unstable_sendScheduledDelayedEvent: async () => ({}),
}
const room = { roomId: '!room:example.org', getVersion: () => '11', getLiveTimeline: () => undefined }
const manager = new MembershipManager({ delayedLeaveEventDelayMs: 8000 }, room, client, { id: '', application: 'm.call' })
manager.join([], undefined, () => {})
setTimeout(() => {
  console.log(JSON.stringify({ answer: process.argv[2], delays: [...new Set(delays)] }))
  process.exit(0)
}, 3000)
JS
synapse=$(node delay.js synapse | tail -n 1)
draft=$(node delay.js draft | tail -n 1)
echo "$synapse"
echo "$draft"
test "$synapse" = '{"answer":"synapse","delays":[8000]}'
test "$draft" = '{"answer":"draft","delays":[8000,5000]}'
