import type { Catalogue } from "../catalogue/catalogue.ts";
import { COMMANDS, type CommandName, type Row } from "./table.ts";

/** What a command explains of itself with `--help`, made from its row of the table. */
export function usage(name: CommandName, catalogue: Catalogue): string {
  const { args, about, flags, examples }: Row = COMMANDS[name];
  const rest = args === "" ? "" : ` ${args}`;
  const heads = Object.entries(flags(catalogue)).map(([flag, { short, value, isOptional = false, text }]) => {
    const shown = value === undefined ? "" : isOptional ? `[=${value}]` : ` ${value}`;
    return { head: `${short === undefined ? "" : `-${short}, `}--${flag}${shown}`, text };
  });
  const width = Math.max(...heads.map(({ head }) => head.length).filter((length) => length <= WIDEST));
  return `Usage: npm run ${name}${rest}
       npm run ${name} --${rest} [flags]
       framework-infra ${name}${rest} [flags]

${about}

${heads.map(({ head, text }) => `  ${head.padEnd(width)}  ${text}`).join("\n")}

Examples:
${examples.map((example) => `  ${example}`).join("\n")}
`;
}

// A longer flag pushes its own text to the right, not that of all others.
const WIDEST = 24;

/** The list of all commands. */
export function overview(): string {
  const names = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(18)}${summary}`);
  return `Usage: npm run COMMAND -- [flags]
       framework-infra COMMAND [flags]

One isolated, hardened Docker Compose stack for each AI-agent framework on this host.

${names.join("\n")}

Each command explains its flags, with examples: npm run ports -- --help

Exit codes: 0 done, 1 failure, 2 bad input or usage, 3 port clash, 4 conflicts open,
5 drift found, 6 findings, 130 interrupted, 143 terminated.
`;
}
