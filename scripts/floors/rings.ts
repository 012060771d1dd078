// SPDX-License-Identifier: Apache-2.0

/** Returns the rings of a directed graph: each strongly connected set of more than one node, sorted (Tarjan). */
export function ringsOf(graph: ReadonlyMap<string, Iterable<string>>): string[][] {
  const rings: string[][] = []
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const visit = (node: string): number => {
    order.set(node, order.size)
    lowest.set(node, order.get(node)!)
    open.push(node)
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue
      const reached = order.has(next) ? (open.includes(next) ? order.get(next)! : Infinity) : visit(next)
      lowest.set(node, Math.min(lowest.get(node)!, reached))
    }
    if (lowest.get(node) === order.get(node)) {
      const ring = open.splice(open.indexOf(node))
      if (ring.length > 1) rings.push(ring.toSorted())
    }
    return lowest.get(node)!
  }
  for (const node of graph.keys()) if (!order.has(node)) visit(node)
  return rings
}
