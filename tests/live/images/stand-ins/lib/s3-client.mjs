// Path-style S3 over HTTP, as far as the Langfuse stand-ins need it.
import http from "node:http";
import { escapeUri, sign } from "./sigv4.mjs";

export class S3Client {
  constructor({ endpoint, region, accessKey, secret, bucket }) {
    Object.assign(this, { endpoint: endpoint.replace(/\/+$/, ""), region, accessKey, secret, bucket });
  }

  request(method, key = "", body = Buffer.alloc(0), query = "") {
    const path = [this.bucket, ...key.split("/")]
      .filter((part, at) => at === 0 || key !== "")
      .map(escapeUri)
      .join("/");
    const url = `${this.endpoint}/${path}${query}`;
    const headers = sign({ method, url, body, accessKey: this.accessKey, secret: this.secret, region: this.region });
    return new Promise((resolve, reject) => {
      const request = http.request(
        url,
        { method, headers: { ...headers, "content-length": body.length }, timeout: 10_000 },
        (response) => {
          const parts = [];
          response.on("data", (part) => parts.push(part));
          response.on("end", () => resolve({ status: response.statusCode, body: Buffer.concat(parts) }));
          response.on("error", reject);
        },
      );
      request.on("timeout", () => request.destroy(new Error(`no answer from ${this.endpoint}`)));
      request.on("error", reject);
      request.end(body);
    });
  }

  async put(key, body) {
    this.#check(await this.request("PUT", key, Buffer.from(body)), `PUT ${key}`);
  }

  async get(key) {
    return this.#check(await this.request("GET", key), `GET ${key}`).body;
  }

  async delete(key) {
    this.#check(await this.request("DELETE", key), `DELETE ${key}`);
  }

  #check(answer, what) {
    if (answer.status >= 300) {
      const code = /<Code>([^<]+)</.exec(answer.body.toString("utf8"))?.[1] ?? "";
      throw Object.assign(new Error(`S3 ${what} in bucket ${this.bucket}: ${answer.status} ${code}`), {
        status: answer.status,
        code,
        permanent: answer.status < 500,
      });
    }
    return answer;
  }
}
