// SPDX-License-Identifier: Apache-2.0

/** JSON that is already encoded; {@link encodeJson} copies it as it is. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Encodes like `JSON.stringify`, and takes {@link RawJson} anywhere inside. */
export function encodeJson(value: unknown): string {
  if (value instanceof RawJson) return value.text
  if (Array.isArray(value))
    return `[${value.map((entry) => (entry === undefined ? 'null' : encodeJson(entry))).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  let text = '{'
  for (const key of Object.keys(value)) {
    const entry = (value as Record<string, unknown>)[key]
    if (entry === undefined) continue
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(key)}:${encodeJson(entry)}`
  }
  return `${text}}`
}
