import { visible } from "../src/lib/visible.ts";

/** A choice of a list or checkbox. */
export interface Choice {
  name: string;
  value: string;
  short: string;
  checked?: boolean;
}

/** A question in inquirer's form, without its name: the interview asks one at a time. */
export interface Question {
  type: "list" | "input" | "checkbox";
  message: string;
  choices?: Choice[];
  default?: string | undefined;
  pageSize?: number;
  /** True, or what is wrong: shown below the answer, which can then be corrected. */
  validate?: (answer: unknown) => true | string | Promise<true | string>;
}

/**
 * A choice whose short form, shown once it is taken, is the text before the first explanation.
 * @param text may hold the name of a file or directory
 */
export function choice(text: string, value: string): Choice {
  const name = visible(text);
  return { name, value, short: name.split(/[:(]/, 1)[0]?.trim() ?? name };
}

/** Asks one question and gives its answer. */
export type Ask = (question: Question) => Promise<unknown>;
