import type { Writable } from "node:stream";

type Screen = Writable & { isTTY?: boolean; columns?: number };

/** Colour and redrawing only where a person looks at a terminal that can do it. */
export const isPlain = (stream: Screen): boolean =>
  stream.isTTY !== true || process.env.NO_COLOR !== undefined || process.env.TERM === "dumb";

const paint =
  (code: number) =>
  (text: string, stream: Screen = process.stdout) =>
    isPlain(stream) ? text : `\u001b[${code}m${text}\u001b[0m`;

export const bold = paint(1);
export const green = paint(32);
export const red = paint(31);
export const yellow = paint(33);
export const grey = paint(90);

/** What goes on while a command waits: one line that is rewritten on a terminal, a new line per change elsewhere. */
export interface Progress {
  show(text: string): void;
  /** Removes the line from the terminal. */
  done(): void;
}

export function progress(stream: Screen = process.stderr): Progress {
  let last = "";
  const plain = isPlain(stream);
  return {
    show(what) {
      const text = visible(what);
      if (text === last) return;
      last = text;
      stream.write(plain ? `${text}\n` : `\r\u001b[K${text.slice(0, (stream.columns ?? 80) - 1)}`);
    },
    done() {
      if (!plain && last !== "") stream.write("\r\u001b[K");
      last = "";
    },
  };
}

export function print(text: string): void {
  process.stdout.write(`${visible(text)}\n`);
}

/** For a program that reads it: exactly so. */
export function printExactly(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What machines and images call themselves shall not move the cursor, set a title or clear the screen: all control
 *  characters but line feed and tab, and sequences other than colours, become U+FFFD. */
export const visible = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  text.replace(/\u001b(?!\[[\d;]*m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g, "\ufffd");

/** A reader that has seen enough (`| head`) ends the command quietly. */
export function endQuietlyOnClosedPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}
