#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# mautrix 0.20.8 (PyPI), the library of heisenbridge 1.15.0: in rooms of version 12, a bot that made the room may not set its
# topic, because the library itself refuses.
#
# Since room version 12 the creator has the highest power without an entry in `m.room.power_levels`; an entry is even
# forbidden. `IntentAPI.send_state_event` compares levels before it asks the homeserver, counts a creator without an entry as
# `users_default`, and raises IntentError, so the bridge loses topics, names and other state in rooms that it owns. Up to
# version 11 the creator has an entry.
#
# Seen with Python 3.11:
#   version 11: asks the homeserver
#   version 12: IntentError Power level of @bot:one.test is not enough for m.room.topic in !room
#
# mautrix 0.21.1 asks in both; heisenbridge 1.15.0 takes a version below 0.21. No homeserver is contacted: nothing listens at the address that it would ask. Exits with 1 when that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'mautrix==0.20.8' 'setuptools<81'
"$folder/venv/bin/python" - > "$folder/seen" <<'PYTHON'
import asyncio
import logging

from mautrix.appservice.api.appservice import AppServiceAPI
from mautrix.appservice.state_store import ASStateStore
from mautrix.client.state_store import MemoryStateStore
from mautrix.errors import IntentError
from mautrix.types import EventType, Membership, PowerLevelStateEventContent

BOT = "@bot:one.test"
LEVELS = {
    "version 11": {"users": {BOT: 100}, "events": {"m.room.topic": 50}, "state_default": 50},
    "version 12": {"users": {}, "events": {"m.room.topic": 50}, "state_default": 50},
}


async def main():
    class Store(ASStateStore, MemoryStateStore):
        def __init__(self):
            ASStateStore.__init__(self)
            MemoryStateStore.__init__(self)

    for version, levels in LEVELS.items():
        store = Store()
        api = AppServiceAPI("http://127.0.0.1:1", BOT, "token", state_store=store, default_retry_count=0, log=logging.getLogger("mau"))
        intent = api.bot_intent()
        await store.registered(BOT)
        await store.set_membership("!room", BOT, Membership.JOIN)
        await store.set_power_levels("!room", PowerLevelStateEventContent.deserialize(levels))
        try:
            await intent.send_state_event("!room", EventType.ROOM_TOPIC, {"topic": "tea"})
        except IntentError as error:
            print(f"{version}: IntentError {error}")
        except Exception:
            print(f"{version}: asks the homeserver")
        await api.session.close()


asyncio.run(main())
PYTHON
cat "$folder/seen"
cat > "$folder/expected" <<'TEXT'
version 11: asks the homeserver
version 12: IntentError Power level of @bot:one.test is not enough for m.room.topic in !room
TEXT
cmp -s "$folder/seen" "$folder/expected"
