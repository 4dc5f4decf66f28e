import { isScalar, parseDocument } from "yaml";

/**
 * framework.yaml with other ports. A port that stands there is replaced at its place, so that every
 * other byte, comments included, stays; a missing one is added by the YAML library.
 */
export function setPorts(text: string, ports: ReadonlyMap<string, number>): string {
  let out = text;
  for (const [id, port] of ports) {
    const doc = parseDocument(out);
    const node = doc.getIn(["services", id, "port"], true);
    if (isScalar(node) && node.value === port) continue;
    if (isScalar(node) && node.range) {
      const [start, end] = node.range;
      out = `${out.slice(0, start)}${String(port)}${out.slice(end)}`;
    } else {
      doc.setIn(["services", id, "port"], port);
      out = doc.toString({ lineWidth: 0 });
    }
  }
  return out;
}
