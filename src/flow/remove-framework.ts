import { join } from "node:path";

import { envSections, managedNames } from "../env/variables.ts";
import { engineVolumes, runningContainers } from "../host/engine.ts";
import { EXIT, UserError } from "../lib/errors.ts";
import { quotedForShell } from "../lib/shell.ts";
import { planRemoval } from "../plan/removal.ts";
import { BASELINE_FILE } from "../plan/state.ts";
import { findFramework } from "../root/find.ts";
import { effectiveName, SPEC_FILE, volumesOf, type Framework } from "../root/framework.ts";
import { readDirectory, remainingIn } from "../store/directory.ts";
import type { Change } from "./change.ts";
import type { Place } from "./place.ts";
import { inSession, type Session } from "./session.ts";

/** Delete what was generated for a framework. */
export interface RemoveFrameworkRequest {
  framework: string;
  /** Whether `.env` goes as well. */
  purge: boolean;
  place: Place;
  dry: boolean;
}

export interface RemoveFrameworkResult {
  change: Change;
  /** Generated files that somebody edited; they go. */
  edited: readonly string[];
  /** What stays in the directory. */
  remaining: readonly string[];
  /** Volumes that stay; `isKnown`: the engine says that they are there. */
  volumes: { names: readonly string[]; isKnown: boolean };
  purged: boolean;
  written: boolean;
  notes: readonly string[];
}

/**
 * Removes a framework: what was generated, edits of it included. A volume never; `.env` only when that is asked for.
 * @throws UserError exit 1 while its containers run
 */
export async function removeFramework(request: RemoveFrameworkRequest): Promise<RemoveFrameworkResult> {
  const { place, dry, purge } = request;
  return inSession(place, { dry }, async (session) => {
    const { root } = session;
    const finished = finishedRemoval(request, session);
    if (finished !== undefined) {
      // The killed command may have been one that kept it, or may not: what is asked for now counts.
      await session.commit([finished.change]);
      return { ...finished, remaining: remainingIn(join(place.root, request.framework)) };
    }
    const framework = findFramework(root, request.framework);
    const { folder, dir, env } = framework;
    const disk = readDirectory(dir, [SPEC_FILE, ".env", BASELINE_FILE], `${place.shown}/${folder}`);
    const { plan, edited } = planRemoval(folder, disk, purge);
    const managed = managedNames(envSections(framework.spec, place.catalogue));
    const change: Change = {
      folder,
      framework,
      spec: undefined,
      plan,
      disk,
      secrets: [...env].flatMap(([name, value]) => (managed.has(name) ? [] : [value])),
      visible: new Set(),
      notes: [],
    };
    if (!dry) refuseRunning(framework, place);
    await session.commit([change]);
    return {
      change,
      edited,
      remaining: remainingIn(dir),
      // Not shown of a dry run, and an engine may take its time to answer.
      volumes: dry ? { names: [], isKnown: false } : remainingVolumes(framework, place),
      purged: purge,
      written: !dry,
      notes: [...session.notes, ...root.warnings.map((warning) => `warning: ${warning}`)],
    };
  });
}

/** The same command typed again after it was killed: what it had decided was finished when this one began. */
function finishedRemoval(
  { framework: folder, place, purge }: RemoveFrameworkRequest,
  { recovered, root, notes }: Session,
): RemoveFrameworkResult | undefined {
  if (recovered?.removed.includes(folder) !== true || root.frameworks.some((each) => each.folder === folder))
    return undefined;
  const disk = readDirectory(join(place.root, folder), [".env", BASELINE_FILE], `${place.shown}/${folder}`);
  const { plan } = planRemoval(folder, disk, purge);
  return {
    change: {
      folder,
      framework: undefined,
      spec: undefined,
      plan,
      disk,
      secrets: [],
      visible: new Set(),
      notes: [],
    },
    edited: [],
    remaining: remainingIn(join(place.root, folder)),
    // Which they are, framework.yaml said.
    volumes: { names: [], isKnown: false },
    purged: purge,
    written: true,
    notes,
  };
}

/** Without compose.yaml nobody could stop it. */
function refuseRunning(framework: Framework, { shown }: Place): void {
  const running = runningContainers(effectiveName(framework)) ?? [];
  if (running.length === 0) return;
  throw new UserError(`${framework.folder} is running: ${running.join(", ")}`, {
    code: "running",
    exit: EXIT.failure,
    hint: `stop it first: cd ${quotedForShell(`${shown}/${framework.folder}`)} && docker compose down`,
  });
}

function remainingVolumes(framework: Framework, { catalogue }: Place): RemoveFrameworkResult["volumes"] {
  const expected = volumesOf(framework, Object.keys(framework.spec.services), catalogue);
  const found = engineVolumes();
  return {
    names: found === undefined ? expected : expected.filter((name) => found.includes(name)),
    isKnown: found !== undefined,
  };
}
