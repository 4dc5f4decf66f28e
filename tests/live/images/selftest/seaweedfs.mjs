// S3 with signatures: node seaweedfs.mjs ENDPOINT ACCESS SECRET fill|survived
import assert from "node:assert/strict";
import { S3Client } from "../stand-ins/lib/s3-client.mjs";
import { check } from "./check.mjs";

const [endpoint, accessKey, secret, phase] = process.argv.slice(2);
const client = (change = {}) =>
  new S3Client({ endpoint, region: "us-east-1", accessKey, secret, bucket: "events", ...change });
const s3 = client();
const key = "events/otel/a b+ü&/1.json";
const data = Buffer.from([0, 255, 13, 10, 65]);
const status = async (who, ...request) => (await who.request(...request)).status;

if (phase === "fill") {
  await check("seaweedfs: a signed object goes in and comes out unchanged", async () => {
    await s3.put(key, data);
    assert.deepEqual(await s3.get(key), data);
    assert.equal(await status(s3, "HEAD", key), 200);
    assert.equal(await status(s3, "HEAD"), 200);
  });
  await check("seaweedfs: a wrong secret, a wrong key id and no signature are refused", async () => {
    await assert.rejects(client({ secret: "wrong" }).get(key), /SignatureDoesNotMatch/);
    await assert.rejects(client({ accessKey: "wrong" }).get(key), /InvalidAccessKeyId/);
    assert.equal((await fetch(`${endpoint}/events`)).status, 403);
  });
  await check("seaweedfs: a missing bucket is NoSuchBucket, a missing key NoSuchKey", async () => {
    await assert.rejects(client({ bucket: "none" }).put("x", "y"), /404 NoSuchBucket/);
    await assert.rejects(s3.get("none"), /404 NoSuchKey/);
    assert.equal(await status(client({ bucket: "none" }), "HEAD"), 404);
  });
  await check("seaweedfs: listing with a prefix", async () => {
    await s3.put("media/x", "1");
    const list = (await s3.request("GET", "", Buffer.alloc(0), "?list-type=2&prefix=events%2F")).body.toString("utf8");
    assert.match(list, /<KeyCount>1<\/KeyCount>/);
    assert.match(list, /<Size>5<\/Size>/);
    await s3.delete("media/x");
    assert.equal(await status(s3, "GET", "media/x"), 404);
  });
  await check("seaweedfs: a bucket with objects is not deleted over S3", async () =>
    assert.equal(await status(s3, "DELETE"), 409),
  );
} else {
  await check("seaweedfs: the object survived the restart", async () => assert.deepEqual(await s3.get(key), data));
}
