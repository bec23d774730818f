export interface SystemCall {
  name: string;
  /** Everything after the name, result included. */
  text: string;
  /** Of the first argument, when it is one. */
  descriptor: number;
}

/** Reads the output of `strace -f -o`. A call that strace printed in two halves stands where it *ended*, except for
 *  those of `atStart`, which stand where they began. */
export function parseSystemCalls(trace: string, atStart: (call: SystemCall) => boolean): SystemCall[] {
  const calls: SystemCall[] = [];
  const begun = new Map<string, string>();
  const add = (line: string, ended: boolean) => {
    const match = /^(\w+)\(((\d+)?.*)$/s.exec(line);
    if (!match) return;
    const call = { name: match[1] ?? "", text: match[2] ?? "", descriptor: Number(match[3] ?? -1) };
    if (ended || atStart(call)) calls.push(call);
  };
  for (const line of trace.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const half = /^(.*) <unfinished \.\.\.>$/.exec(rest)?.[1];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    if (half !== undefined) {
      begun.set(pid, half);
      add(half, false);
    } else if (resumed !== undefined) {
      const whole = (begun.get(pid) ?? "") + resumed;
      const [call] = parseSystemCalls(`0 ${begun.get(pid) ?? ""}`, () => true);
      if (!call || !atStart(call)) add(whole, true);
    } else add(rest, true);
  }
  return calls;
}
