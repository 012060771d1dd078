// SPDX-License-Identifier: Apache-2.0
// A participant of a call; the script calls these functions. LivekitClient is the global of the package livekit-client.

let room

/** Connects to the SFU and sends the sound of the (fake) microphone. */
globalThis.join = async (url, token) => {
  room = new LivekitClient.Room()
  room.on('trackSubscribed', (track) => document.body.append(track.attach()))
  await room.connect(url, token)
  await room.localParticipant.setMicrophoneEnabled(true)
  return room.localParticipant.identity
}

/** Returns the sound that has come from others: participant, bytes, level and energy. */
globalThis.heard = async () => {
  const found = []
  for (const participant of room?.remoteParticipants.values() ?? []) {
    for (const { track } of participant.audioTrackPublications.values()) {
      const stats = await track?.receiver?.getStats()
      for (const { type, bytesReceived, audioLevel, totalAudioEnergy } of stats?.values() ?? []) {
        if (type !== 'inbound-rtp') continue
        found.push({ identity: participant.identity, bytes: bytesReceived, level: audioLevel, energy: totalAudioEnergy })
      }
    }
  }
  return found
}

/** Restarts a delayed event again and again, as long as the page lives. */
globalThis.keepRestarting = (url, token, everyMs) => {
  const restart = async () => {
    const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    globalThis.restarts = (globalThis.restarts ?? 0) + (answer.ok ? 1 : 0)
  }
  setInterval(() => void restart(), everyMs)
}
