// A preload (`NODE_OPTIONS=--import=file:///.../free-ports.mjs`) for programs that ask whether a port of this host is
// free by binding it for a moment: it always is. Two of them that ask at the same time would each find it taken.
import { Server } from "node:net";

Server.prototype.listen = function listen(...args) {
  const listening = args.at(-1);
  if (typeof listening === "function") this.once("listening", listening);
  process.nextTick(() => this.emit("listening"));
  return this;
};
