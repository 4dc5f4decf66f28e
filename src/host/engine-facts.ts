import { hostname } from "node:os";

import { mapping, textual } from "../lib/mapping.ts";
import type { EngineFacts, NoEngine } from "../rules/host-facts.ts";
import { askDocker, linesOf, type DockerAnswer } from "./docker.ts";
import { publishedIn } from "./engine.ts";
import { diskOf, engineOpenFiles } from "./facts.ts";

/** Asks the engine what it is, everything side by side. */
export async function engineFacts(): Promise<EngineFacts | NoEngine> {
  const [info, compose, images, ports] = await Promise.all([
    askDocker(["info", "--format", "{{json .}}"]),
    askDocker(["compose", "version", "--short"]),
    askDocker(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]),
    askDocker(["ps", "--format", "{{.Ports}}"]),
  ]);
  const said = parsed(info.text);
  const version = said["ServerVersion"];
  // `docker info` succeeds without a daemon, and says so inside.
  if (info.text === undefined || typeof version !== "string" || version === "") return whyNot(info, said);
  const limits = { memory: said["MemoryLimit"], CPU: said["CpuCfsQuota"], processes: said["PidsLimit"] };
  const isHere = said["Name"] === hostname();
  const time = Date.parse(textual(said["SystemTime"]));
  return {
    version,
    compose: compose.text?.trim(),
    memory: typeof said["MemTotal"] === "number" ? said["MemTotal"] : 0,
    cgroup: textual(said["CgroupVersion"] ?? "1"),
    missingLimits: Object.entries(limits).flatMap(([name, there]) => (there === false ? [name] : [])),
    isRootless: Array.isArray(said["SecurityOptions"]) && said["SecurityOptions"].includes("name=rootless"),
    hasProxy: textual(said["HttpProxy"]) !== "" || textual(said["HttpsProxy"]) !== "",
    time: Number.isNaN(time) ? undefined : time,
    // Of an engine elsewhere, these would be this host's.
    disk: isHere ? diskOf(textual(said["DockerRootDir"])) : undefined,
    openFiles: isHere ? engineOpenFiles() : undefined,
    images: new Set(linesOf(images)),
    published: new Set(linesOf(ports).flatMap(publishedIn)),
  };
}

function whyNot({ failure, said }: DockerAnswer, info: Record<string, unknown>): NoEngine {
  const errors = Array.isArray(info["ServerErrors"]) ? info["ServerErrors"].map(String) : [];
  const text = [said, ...errors].join("\n");
  const line = (text.split("\n").find((each) => each.trim() !== "") ?? "").slice(0, 200);
  if (failure === "missing" || failure === "timeout") return { problem: failure, said: line };
  if (/permission denied/i.test(text)) return { problem: "denied", said: line };
  if (
    /context .*not found|current context|unable to (?:parse|resolve) docker (?:host|endpoint)|no such host/i.test(text)
  )
    return { problem: "context", said: line };
  if (/cannot connect|is the docker daemon running|connection refused|no such file/i.test(text))
    return { problem: "stopped", said: line };
  return { problem: "other", said: line };
}

function parsed(text: string | undefined): Record<string, unknown> {
  try {
    return mapping(JSON.parse(text ?? ""));
  } catch {
    return {};
  }
}
