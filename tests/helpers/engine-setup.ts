import { engineProblem } from "./engine.ts";
import { leftOut } from "./left-out.ts";

/** Says once, before the live tests, that they are left out and why. */
export default function setup(): void {
  const problem = engineProblem();
  if (problem !== undefined) leftOut("the live tests", problem, process.env["FRAMEWORK_INFRA_LIVE"] === "later");
}
