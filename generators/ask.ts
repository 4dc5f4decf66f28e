import { EXIT, UserError } from "../src/errors.ts";
import type { Ask, Question } from "./question.ts";

/** What is used of inquirer: its prompt, and the line reader inside. */
interface Inquirer {
  prompt: (questions: object[]) => Promise<unknown> & { ui: object };
}

// inquirer raises SIGINT at Ctrl-C after it has closed its reader: the signal's own handler comes first.
const SETTLE_MS = 100;

/**
 * Asks through inquirer, one question at a time. When the input ends (Ctrl-D, a terminal that went
 * away), inquirer's promise never settles: here that is an error, and the process stays alive to say so.
 */
export function askThrough(inquirer: Inquirer): Ask {
  return async (question: Question) => {
    const alive = setInterval(() => undefined, 60_000);
    try {
      const prompt = inquirer.prompt([{ ...question, name: "answer" }]);
      const answers = await Promise.race([prompt, inputEnd(prompt.ui)]);
      return (answers as { answer: unknown }).answer;
    } finally {
      clearInterval(alive);
    }
  };
}

/** Never fulfils; rejects some time after the reader was closed, by which time an answered prompt has settled. */
function inputEnd(ui: object): Promise<never> {
  return new Promise((_, reject) => {
    const { rl } = ui as { rl: NodeJS.EventEmitter };
    rl.once("close", () => {
      setTimeout(() => {
        process.stderr.write("\n");
        reject(new UserError("the input ended; nothing was changed", { code: "interrupted", exit: EXIT.interrupted }));
      }, SETTLE_MS);
    });
  });
}
