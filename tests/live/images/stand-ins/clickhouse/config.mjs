// Reads what a compose file mounts or the entry point wrote: config.d and
// users.d. Broken XML stops the real server, so it stops this one.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Throws unless tags are balanced below one <clickhouse> or <yandex>. */
function checkXml(text) {
  const bare = text.replace(/<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>/g, "");
  if (bare.includes("<!--")) throw new Error("comment is not closed");
  const open = [];
  let roots = 0;
  for (const [, closing, name, rest] of bare.matchAll(/<(\/?)([A-Za-z_][\w.:-]*)([^<>]*)>/g)) {
    if (closing) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
      continue;
    }
    if (open.length === 0) {
      roots += 1;
      if (!["clickhouse", "yandex"].includes(name)) throw new Error(`root element is <${name}>`);
    }
    if (!rest.endsWith("/")) open.push(name);
  }
  if (open.length > 0) throw new Error(`<${open.pop()}> is not closed`);
  if (roots !== 1) throw new Error(`${roots} root elements`);
}

export function readConfiguration(directory) {
  const seen = [];
  let user = { name: "default", password: "" };
  for (const folder of ["config.d", "users.d"]) {
    const path = join(directory, folder);
    const files = existsSync(path)
      ? readdirSync(path)
          .filter((name) => name.endsWith(".xml"))
          .sort()
      : [];
    for (const file of files) {
      const text = readFileSync(join(path, file), "utf8");
      try {
        checkXml(text);
      } catch (error) {
        throw new Error(`${join(path, file)}: ${error.message}`, { cause: error });
      }
      seen.push(`${folder}/${file}`);
      const found =
        folder === "users.d" &&
        file === "default-user.xml" &&
        /<default remove[\s\S]*?<([A-Za-z0-9_-]+)>[\s\S]*?<password><!\[CDATA\[([\s\S]*?)\]\]><\/password>/.exec(
          text.replace(/<default remove="remove"><\/default>/, "<default remove"),
        );
      if (found) user = { name: found[1], password: found[2] };
    }
  }
  return { files: seen, user };
}
