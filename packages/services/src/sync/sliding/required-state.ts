// SPDX-License-Identifier: Apache-2.0

/** Matches state events; an absent member matches all types or all state keys. */
export interface StatePattern {
  readonly type?: string | undefined
  readonly stateKey?: string | undefined
}

/**
 * The state that a list or a subscription wants: what `include` matches and `exclude` does not. With `lazyMembers` only
 * members whom a pattern names are included, and those whom the timeline needs.
 */
export interface RequiredState {
  readonly include: readonly StatePattern[]
  readonly exclude: readonly StatePattern[]
  readonly lazyMembers: boolean
}

const MEMBER = 'm.room.member'

/**
 * Returns the required state of pairs of type and state key, with their words `*`, `$ME` and `$LAZY`. Beside `$LAZY`, `*`
 * leaves the members out.
 */
export function requiredStateOfPairs(pairs: readonly (readonly [string, string])[], me: string): RequiredState {
  const isLazy = ([type, key]: readonly [string, string]) => type === MEMBER && key === '$LAZY'
  const include = pairs
    .filter((pair) => !isLazy(pair))
    .map(([type, key]) => ({
      ...(type === '*' ? {} : { type }),
      ...(key === '*' ? {} : { stateKey: key === '$ME' ? me : key }),
    }))
  return { include, exclude: [], lazyMembers: pairs.some(isLazy) }
}

/** The required state of a room that several lists and subscriptions match: the union of theirs. */
export class StateSelection {
  readonly #parts: readonly RequiredState[]
  readonly #matchers: readonly Part[]

  constructor(parts: readonly RequiredState[]) {
    const plain = parts.map(({ include, exclude, lazyMembers }) => ({ include, exclude, lazyMembers }))
    this.#parts = [...new Map(plain.map((part) => [JSON.stringify(part), part])).values()]
    this.#matchers = this.#parts.map((part) => new Part(part))
  }

  /** Returns the selection that {@link text} was read of; one that matches nothing for an empty text. */
  static parse(text: string): StateSelection {
    return new StateSelection(text === '' ? [] : (JSON.parse(text) as readonly RequiredState[]))
  }

  /** Equal selections have equal texts. */
  get text(): string {
    return JSON.stringify(this.#parts)
  }

  /** Returns whether an event is wanted, a member whether or not the timeline needs them. */
  matches(type: string, stateKey: string): boolean {
    return this.#matchers.some((part) => part.matches(type, stateKey))
  }

  /** All members are wanted, except excluded ones. */
  get wantsAllMembers(): boolean {
    return this.#matchers.some((part) => part.wantsAllMembers)
  }

  /** Members are lazy-loaded for the timeline. */
  get isLazy(): boolean {
    return !this.wantsAllMembers && this.#parts.some(({ lazyMembers }) => lazyMembers)
  }

  /** The users whose members are wanted by name. */
  get namedMembers(): ReadonlySet<string> {
    const patterns = this.#parts.flatMap(({ include }) => include)
    return new Set(
      patterns.flatMap(({ type = MEMBER, stateKey }) =>
        type === MEMBER && stateKey?.startsWith('@') ? [stateKey] : [],
      ),
    )
  }

  /** No state is wanted. */
  get isEmpty(): boolean {
    return this.#parts.every(({ include, lazyMembers }) => include.length === 0 && !lazyMembers)
  }
}

/** One required state, arranged so that its length does not matter to a match. */
class Part {
  readonly #include: PatternSet
  readonly #exclude: PatternSet
  readonly #isLazy: boolean
  readonly wantsAllMembers: boolean

  constructor({ include, exclude, lazyMembers }: RequiredState) {
    this.#include = new PatternSet(include)
    this.#exclude = new PatternSet(exclude)
    this.#isLazy = lazyMembers
    this.wantsAllMembers = !lazyMembers && this.#include.hasWhole(MEMBER)
  }

  matches(type: string, stateKey: string): boolean {
    const include = this.#include
    const isIncluded =
      type === MEMBER && this.#isLazy ? include.hasKey(type, stateKey) : include.matches(type, stateKey)
    return isIncluded && !this.#exclude.matches(type, stateKey)
  }
}

class PatternSet {
  readonly #keys = new Set<string>()
  readonly #types = new Set<string>()
  readonly #anyType = new Set<string>()
  readonly #isEverything: boolean

  constructor(patterns: readonly StatePattern[]) {
    this.#isEverything = patterns.some(({ type, stateKey }) => type === undefined && stateKey === undefined)
    for (const { type, stateKey } of patterns) {
      if (type === undefined && stateKey !== undefined) this.#anyType.add(stateKey)
      if (type !== undefined && stateKey === undefined) this.#types.add(type)
      if (type !== undefined && stateKey !== undefined) this.#keys.add(nameOf(type, stateKey))
    }
  }

  /** Returns whether a pattern names this state key. */
  hasKey(type: string, stateKey: string): boolean {
    return this.#anyType.has(stateKey) || this.#keys.has(nameOf(type, stateKey))
  }

  /** Returns whether a pattern matches all state of a type. */
  hasWhole(type: string): boolean {
    return this.#isEverything || this.#types.has(type)
  }

  matches(type: string, stateKey: string): boolean {
    return this.hasWhole(type) || this.hasKey(type, stateKey)
  }
}

const nameOf = (type: string, stateKey: string) => JSON.stringify([type, stateKey])
