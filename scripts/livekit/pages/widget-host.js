// SPDX-License-Identifier: Apache-2.0
// A Matrix client just large enough to hold Element Call as a widget: it sends and reads for the widget, and follows one room
// by /sync. mxwidgets is the global of the package matrix-widget-api.

const V3 = '/_matrix/client/v3'
const MSC4140 = '/_matrix/client/unstable/org.matrix.msc4140/delayed_events'
/** So long after the capabilities were agreed the sticky events are pushed. */
const STICKY_AFTER_MS = 5_000
let serial = 0

/** The requests of the widget, in order. */
globalThis.asked = []

/** Opens Element Call for a user in a room, and goes into the call. */
globalThis.openCall = async ({ base, token, userId, deviceId, roomId }) => {
  const call = requester(base, token)
  const driver = new Driver(call, roomId)
  const options = {
    widgetId: 'call',
    parentUrl: location.href,
    roomId,
    userId,
    deviceId,
    baseUrl: base,
    intent: 'join_existing',
    skipLobby: 'true',
    perParticipantE2EE: 'false',
    lang: 'en',
    theme: 'light',
  }
  const url = `${location.origin}/element-call/index.html#?${new URLSearchParams(options)}`
  const frame = document.createElement('iframe')
  frame.allow = 'camera; microphone; autoplay'
  document.body.append(frame)
  const widget = new mxwidgets.Widget({
    id: 'call',
    creatorUserId: userId,
    type: 'm.custom',
    url,
    waitForIframeLoad: false,
    data: {},
  })
  const api = new mxwidgets.ClientWidgetApi(widget, frame, driver)
  api.setViewedRoomId(roomId)
  for (const action of ['io.element.join', 'io.element.device_mute', 'io.element.tile_layout', 'io.element.spotlight_layout', 'im.vector.hangup', 'io.element.close', 'set_always_on_screen'])
    api.on(`action:${action}`, (event) => {
      event.preventDefault()
      globalThis.asked.push(action)
      api.transport.reply(event.detail, {})
    })
  frame.src = url
  await new Promise((resolve) => api.once('ready', resolve))
  void follow(api, call, roomId)
}

/** Returns the names on the tiles that Element Call shows. */
globalThis.shownNames = () => {
  const tags = frameDocument()?.querySelectorAll('[data-testid="videoTile"] [data-testid="name_tag"]') ?? []
  return [...tags].map((tag) => tag.textContent)
}

/** Returns how many videos of Element Call have pictures of some size and are playing. */
globalThis.playingVideos = () => {
  const videos = [...(frameDocument()?.querySelectorAll('video') ?? [])]
  return videos.filter((video) => video.videoWidth > 0 && !video.paused && video.currentTime > 0).length
}

/** Returns the text that Element Call shows. */
/** Returns the markup of the tiles. */
globalThis.tiles = () => [...(frameDocument()?.querySelectorAll('[data-testid="videoTile"]') ?? [])].map((tile) => tile.outerHTML.slice(0, 1500))
globalThis.shownText = () => frameDocument()?.body?.innerText ?? ''

/** Presses a button of Element Call. */
globalThis.press = (testId) => {
  const button = frameDocument()?.querySelector(`[data-testid="${testId}"]`)
  button?.click()
  return button !== null && button !== undefined
}

function frameDocument() {
  return document.querySelector('iframe')?.contentDocument
}

/** Gives the widget each event of the room as it comes. */
async function follow(api, call, roomId) {
  let since = (await call('GET', `${V3}/sync?timeout=0`)).next_batch
  for (;;) {
    const answer = await call('GET', `${V3}/sync?timeout=20000&since=${encodeURIComponent(since)}`)
    since = answer.next_batch
    const room = answer.rooms?.join?.[roomId]
    const sticky = room?.msc4354_sticky?.events ?? []
    for (const event of [...(room?.state?.events ?? []), ...(room?.timeline?.events ?? []), ...sticky]) {
      const whole = { ...event, room_id: roomId }
      if (event.state_key !== undefined) await api.feedStateUpdate(whole)
      await api.feedEvent(whole)
    }
    for (const message of answer.to_device?.events ?? []) await api.feedToDevice(message, false)
  }
}

function requester(base, token) {
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const text = body === undefined ? undefined : JSON.stringify(body)
    const answer = await fetch(`${base}${path}`, { method, headers, body: text })
    const content = await answer.json()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${content.errcode}`)
    return content
  }
}

/** Answers the requests of the widget to its host. */
class Driver extends mxwidgets.WidgetDriver {
  constructor(call, roomId) {
    super()
    this.call = call
    this.roomId = roomId
    this.room = `${V3}/rooms/${encodeURIComponent(roomId)}`
  }

  async validateCapabilities(requested) {
    return requested
  }

  async sendEvent(type, content, stateKey = null) {
    const { event_id: eventId } = await this.#put(type, content, stateKey, '')
    return { roomId: this.roomId, eventId }
  }

  async sendDelayedEvent(delay, type, content, stateKey = null) {
    const { delay_id: delayId } = await this.#put(type, content, stateKey, `?org.matrix.msc4140.delay=${delay}`)
    return { roomId: this.roomId, delayId }
  }

  async sendStickyEvent(duration, type, content) {
    const query = `?org.matrix.msc4354.sticky_duration_ms=${duration}`
    const { event_id: eventId } = await this.#put(type, content, null, query)
    return { roomId: this.roomId, eventId }
  }

  async sendDelayedStickyEvent(delay, duration, type, content) {
    const query = `?org.matrix.msc4354.sticky_duration_ms=${duration}&org.matrix.msc4140.delay=${delay}`
    const { delay_id: delayId } = await this.#put(type, content, null, query)
    return { roomId: this.roomId, delayId }
  }

  cancelScheduledDelayedEvent(delayId) {
    return this.#manage(delayId, 'cancel')
  }

  restartScheduledDelayedEvent(delayId) {
    return this.#manage(delayId, 'restart')
  }

  sendScheduledDelayedEvent(delayId) {
    return this.#manage(delayId, 'send')
  }

  async sendToDevice(type, _encrypted, contentMap) {
    await this.call('PUT', `${V3}/sendToDevice/${type}/${Date.now()}-${++serial}`, { messages: contentMap })
  }

  async readRoomState(_roomId, type, stateKey) {
    const all = await this.call('GET', `${this.room}/state`)
    return all
      .filter((event) => event.type === type && (stateKey === undefined || event.state_key === stateKey))
      .map((event) => ({ ...event, room_id: this.roomId }))
  }

  async readRoomTimeline(_roomId, type, _msgtype, stateKey, limit) {
    const { chunk } = await this.call('GET', `${this.room}/messages?dir=b&limit=${Math.min(limit, 50)}`)
    return chunk.filter((event) => event.type === type && (stateKey === undefined || event.state_key === stateKey))
  }

  async readStickyEvents() {
    // The widget loses its room where these come before the room's state.
    await new Promise((resolve) => setTimeout(resolve, STICKY_AFTER_MS))
    const { rooms } = await this.call('GET', `${V3}/sync?timeout=0`)
    const room = rooms?.join?.[this.roomId]
    const events = [...(room?.timeline?.events ?? []), ...(room?.msc4354_sticky?.events ?? [])]
    return events.filter((event) => event.msc4354_sticky).map((event) => ({ ...event, room_id: this.roomId }))
  }

  async readEventRelations() {
    return { chunk: [] }
  }

  askOpenID(observer) {
    const ask = async () => {
      const me = await this.call('GET', `${V3}/account/whoami`)
      const path = `${V3}/user/${encodeURIComponent(me.user_id)}/openid/request_token`
      observer.update({ state: 'allowed', token: await this.call('POST', path, {}) })
    }
    void ask()
  }

  getRtcTransports() {
    return this.call('GET', '/_matrix/client/unstable/org.matrix.msc4143/rtc/transports')
  }

  getRtcLivekitToken(body) {
    return this.call('POST', '/_matrix/client/unstable/io.element.msc4195/rtc/livekit/get_token', body)
  }

  delegateRtcLivekitDelayedLeave(body) {
    return this.call('POST', '/_matrix/client/unstable/io.element.msc4195/rtc/livekit/delegate_delayed_leave', body)
  }

  async getMediaConfig() {
    return this.call('GET', '/_matrix/client/v1/media/config')
  }

  getKnownRooms() {
    return [this.roomId]
  }

  processError() {
    return undefined
  }

  #put(type, content, stateKey, query) {
    globalThis.asked.push(`send ${type}${query}`)
    const path =
      stateKey === null
        ? `${this.room}/send/${type}/${Date.now()}-${++serial}`
        : `${this.room}/state/${type}/${encodeURIComponent(stateKey)}`
    return this.call('PUT', `${path}${query}`, content)
  }

  async #manage(delayId, action) {
    globalThis.asked.push(action)
    await this.call('POST', `${MSC4140}/${encodeURIComponent(delayId)}/${action}`, {})
  }
}
