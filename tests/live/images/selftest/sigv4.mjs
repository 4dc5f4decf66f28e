// The example that AWS publishes in its Signature Version 4 documentation
// (GET of an object with a Range header), checked by the server's own code.
import assert from "node:assert/strict";
import { sign, verify } from "../stand-ins/lib/sigv4.mjs";
import { check } from "./check.mjs";

const accessKey = "AKIAIOSFODNN7EXAMPLE";
const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const now = new Date(Date.UTC(2013, 4, 24));
const published = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";

await check("signing gives the signature that AWS publishes", () => {
  const headers = sign({
    method: "GET",
    url: "https://examplebucket.s3.amazonaws.com/test.txt",
    accessKey,
    secret,
    now,
    extra: { range: "bytes=0-9" },
  });
  assert.match(headers.authorization, new RegExp(`Signature=${published}$`));
});

const url = "http://host:8333/bucket/a%20key%2B1?list-type=2&prefix=x%2Fy";
const request = (change = {}) => {
  const headers = sign({ method: "PUT", url, body: "data", accessKey, secret, now });
  return verify({ method: "PUT", url, headers, body: Buffer.from("data"), accessKey, secret, now, ...change });
};
await check("a signed request is accepted", () => assert.deepEqual(request(), { ok: true }));
await check("another secret is refused", () =>
  assert.equal(request({ secret: "other" }).code, "SignatureDoesNotMatch"),
);
await check("another key id is refused", () =>
  assert.equal(request({ accessKey: "other" }).code, "InvalidAccessKeyId"),
);
await check("another method is refused", () =>
  assert.equal(request({ method: "DELETE" }).code, "SignatureDoesNotMatch"),
);
await check("another path is refused", () =>
  assert.equal(request({ url: url.replace("a%20", "b%20") }).code, "SignatureDoesNotMatch"),
);
await check("another body is refused", () =>
  assert.equal(request({ body: Buffer.from("DATA") }).code, "XAmzContentSHA256Mismatch"),
);
await check("an old request is refused", () =>
  assert.equal(request({ now: new Date(+now + 3_600_000) }).code, "RequestTimeTooSkewed"),
);
await check("a request without a signature is refused", () =>
  assert.equal(request({ headers: {} }).code, "AccessDenied"),
);
