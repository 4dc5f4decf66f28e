import { EXIT, UserError } from "../src/lib/errors.ts";
import { visible } from "../src/lib/visible.ts";
import type { Inquirer } from "./generator.ts";
import type { Ask, Question } from "./question.ts";

// inquirer raises SIGINT at Ctrl-C after it has closed its reader: the signal's own handler comes first.
const SETTLE_MS = 100;

// A list hides the cursor and, when it is left by a signal, does not show it again.
const SHOW_CURSOR = "\u001B[?25h";
let isWatched = false;

/** However the process ends, the terminal gets its cursor back. */
function restoreCursor(): void {
  if (isWatched || !process.stdout.isTTY) return;
  isWatched = true;
  process.on("exit", () => process.stdout.write(SHOW_CURSOR));
}

/**
 * Asks through inquirer, one question at a time. When the input ends (Ctrl-D, a terminal that went
 * away), inquirer's promise never settles: here that is an error, and the process stays alive to say so.
 */
export function askThrough(inquirer: Inquirer): Ask {
  restoreCursor();
  return async (question: Question) => {
    const alive = setInterval(() => undefined, 60_000);
    const state = { answered: false };
    try {
      const prompt = inquirer.prompt([{ ...shownSafely(question), name: "answer" }]);
      const answers = await Promise.race([prompt, inputEnd(prompt.ui, state)]);
      return (answers as { answer: unknown }).answer;
    } finally {
      state.answered = true;
      clearInterval(alive);
    }
  };
}

/** The question with nothing in it that a terminal would act on; the refusal of an answer may hold a name as well. */
export function shownSafely(question: Question): Question {
  const { message, validate } = question;
  if (validate === undefined) return { ...question, message: visible(message) };
  return {
    ...question,
    message: visible(message),
    validate: async (answer) => {
      const problem = await validate(answer);
      return typeof problem === "string" ? visible(problem) : problem;
    },
  };
}

/** Never fulfils; rejects when the reader was closed and no answer has come. */
function inputEnd(ui: object, state: { answered: boolean }): Promise<never> {
  return new Promise((_, reject) => {
    const { rl } = ui as { rl: NodeJS.EventEmitter };
    rl.once("close", () => {
      setTimeout(() => {
        if (state.answered) return;
        // The question still stands on this line.
        process.stderr.write("\n");
        reject(
          new UserError("the input ended; nothing was changed", {
            code: "interrupted",
            exit: EXIT.interrupted,
            hint: "give the answers as flags or with --answers where nobody can type",
          }),
        );
      }, SETTLE_MS);
    });
  });
}
