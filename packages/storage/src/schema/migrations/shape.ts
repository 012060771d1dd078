// SPDX-License-Identifier: Apache-2.0

/** The definition of each table and index of a database, by kind and name, as in `table rooms`; in the words of its engine. */
export type Shape = ReadonlyMap<string, string>

/** The maximum number of differences that a message names. */
const MAX_NAMED = 5

/** Returns the differences between the shape a database should have and its own, in words; empty where there are none. */
export function shapeDifferences(expected: Shape, actual: Shape): string {
  const differences = [
    ...[...expected.keys()].filter((name) => !actual.has(name)).map((name) => `${name} is missing`),
    ...[...actual.keys()].filter((name) => !expected.has(name)).map((name) => `${name} is unknown`),
    ...[...expected]
      .filter(([name, definition]) => actual.has(name) && actual.get(name) !== definition)
      .map(([name]) => `${name} differs`),
  ]
  const more = differences.length - MAX_NAMED
  return [...differences.slice(0, MAX_NAMED), ...(more > 0 ? [`${more} more`] : [])].join(', ')
}
