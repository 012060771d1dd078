#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# matrix-js-sdk 43.0.0: a ban with org.matrix.msc4293.redact_events redacts the events of one timeline only.
#
# A room has more than one timeline after a limited sync (Room.resetLiveTimeline with timelineSupport). Then the events of the
# banned user before the gap stay readable until the client is loaded anew; those behind it are redacted.
#
# Seen with Node 26.10.0:
#   {"timelines":1,"before":true,"after":true}
#   {"timelines":2,"before":false,"after":true}
#
# Exits with 1 when that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"type":"module"}' > package.json
npm install --silent --no-audit --no-fund matrix-js-sdk@43.0.0
cat > ban.js <<'JS'
import { createClient, MatrixEvent, Room } from 'matrix-js-sdk'

const options = { timelineSupport: true }
const client = createClient({ baseUrl: 'http://localhost', userId: '@me:example.org', ...options })
const room = new Room('!room:example.org', client, '@me:example.org', options)
let count = 0
const event = (type, sender, content, stateKey) =>
  new MatrixEvent({
    event_id: `$${++count}`,
    room_id: room.roomId,
    type,
    sender,
    content,
    origin_server_ts: count,
    unsigned: {},
    ...(stateKey === undefined ? {} : { state_key: stateKey }),
  })
const [moderator, spammer] = ['@moderator:example.org', '@spammer:example.org']
const add = (events, addToState) => room.addLiveEvents(events, { addToState })

await add(
  [
    event('m.room.create', moderator, { room_version: '11' }, ''),
    event('m.room.power_levels', moderator, { users: { [moderator]: 100 } }, ''),
    event('m.room.member', moderator, { membership: 'join' }, moderator),
    event('m.room.member', spammer, { membership: 'join' }, spammer),
  ],
  true,
)
const before = event('m.room.message', spammer, { msgtype: 'm.text', body: 'before the gap' })
await add([before], false)
if (process.argv[2] === 'gap') room.resetLiveTimeline('back', 'forward')
const after = event('m.room.message', spammer, { msgtype: 'm.text', body: 'after the gap' })
await add([after], false)
const content = { membership: 'ban', 'org.matrix.msc4293.redact_events': true }
await add([event('m.room.member', moderator, content, spammer)], true)
const timelines = room.getTimelineSets()[0].getTimelines().length
console.log(JSON.stringify({ timelines, before: before.isRedacted(), after: after.isRedacted() }))
process.exit(0)
JS
whole=$(node ban.js whole | tail -n 1)
gap=$(node ban.js gap | tail -n 1)
echo "$whole"
echo "$gap"
test "$whole" = '{"timelines":1,"before":true,"after":true}'
test "$gap" = '{"timelines":2,"before":false,"after":true}'
