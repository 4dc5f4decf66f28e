// A small client for the Redis protocol (RESP2): one command after another.
import net from "node:net";

export class RedisError extends Error {}

/** One reply from `buffer` at `at`: [value, next position], or null if cut short. */
function parse(buffer, at) {
  const end = buffer.indexOf("\r\n", at);
  if (end < 0) return null;
  const line = buffer.toString("utf8", at + 1, end);
  const next = end + 2;
  switch (String.fromCharCode(buffer[at])) {
    case "+":
      return [line, next];
    case "-":
      return [new RedisError(line), next];
    case ":":
      return [Number(line), next];
    case "$": {
      const size = Number(line);
      if (size < 0) return [null, next];
      if (buffer.length < next + size + 2) return null;
      return [buffer.toString("utf8", next, next + size), next + size + 2];
    }
    case "*": {
      const items = [];
      let position = next;
      for (let left = Number(line); left > 0; left -= 1) {
        const item = parse(buffer, position);
        if (!item) return null;
        items.push(item[0]);
        position = item[1];
      }
      return [Number(line) < 0 ? null : items, position];
    }
    default:
      throw new Error("not a Redis server");
  }
}

export class RedisClient {
  #waiting = [];
  #buffer = Buffer.alloc(0);

  static connect({ host, port, password }) {
    const client = new RedisClient();
    return new Promise((resolve, reject) => {
      client.socket = net.connect({ host, port, timeout: 10_000 });
      client.socket.once("timeout", () => client.socket.destroy(new Error(`no answer from ${host}:${port}`)));
      client.socket.on("error", (error) => {
        reject(error);
        client.#fail(error);
      });
      client.socket.on("close", () => client.#fail(new Error("connection to Redis is closed")));
      client.socket.on("data", (data) => client.#take(data));
      client.socket.once("connect", () => {
        client.socket.setTimeout(0);
        client.command("AUTH", password).then(() => resolve(client), reject);
      });
    });
  }

  command(...words) {
    if (this.closed) return Promise.reject(new Error("connection to Redis is closed"));
    const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.socket.write(`*${words.length}\r\n${parts.join("")}`);
    });
  }

  close() {
    this.closed = true;
    this.socket.destroy();
  }

  #take(data) {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    for (;;) {
      const reply = this.#buffer.length > 0 ? parse(this.#buffer, 0) : null;
      if (!reply) return;
      this.#buffer = this.#buffer.subarray(reply[1]);
      const { resolve, reject } = this.#waiting.shift() ?? {};
      if (reply[0] instanceof RedisError) reject?.(reply[0]);
      else resolve?.(reply[0]);
    }
  }

  #fail(error) {
    this.closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
