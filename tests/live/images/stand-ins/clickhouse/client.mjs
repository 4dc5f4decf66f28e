// STAND-IN for clickhouse-client: the statements of --query or of standard input, over HTTP instead of the native
// protocol. The user and the password are taken from CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, as by the real one.
import { readFileSync } from "node:fs";
import http from "node:http";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    host: { type: "string", default: "localhost" },
    database: { type: "string" },
    "ignore-error": { type: "boolean" },
    query: { type: "string" },
  },
});
const { CLICKHOUSE_USER: user = "default", CLICKHOUSE_PASSWORD: password = "" } = process.env;

function ask(sql) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: values.host,
        port: 8123,
        method: "POST",
        headers: { "x-clickhouse-user": user, "x-clickhouse-key": password },
      },
      (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("end", () => {
          const text = Buffer.concat(parts).toString("utf8");
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(text.trim()));
        });
      },
    );
    request.on("error", (error) => reject(new Error(`Code: 210. DB::NetException: ${error.message}. (NETWORK_ERROR)`)));
    request.end(sql);
  });
}

for (const sql of (values.query ?? readFileSync(0, "utf8")).split(/;\s*(?:\n|$)/)) {
  if (sql.trim() === "") continue;
  try {
    process.stdout.write(await ask(sql));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = Number(/^Code: (\d+)/.exec(error.message)?.[1] ?? 1) & 255 || 1;
    if (!values["ignore-error"]) break;
  }
}
