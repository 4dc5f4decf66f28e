import * as crypto from "node:crypto";

/** sha256 of a text's UTF-8 bytes, or of bytes, as hex: identifies templates and generated files. */
export function sha256(text: string | Uint8Array): string {
  // The engines that are supported have it from 20.12 on; for short texts it takes a fraction of the time.
  return crypto.hash("sha256", text);
}
