const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Up to `belowMs`, a span is shown in `unit`, with the rest in `rest` where that still tells something. */
const STEPS: readonly { belowMs: number; unit: [number, string]; rest?: [number, string] }[] = [
  { belowMs: 2 * MINUTE, unit: [SECOND, "s"] },
  { belowMs: 10 * MINUTE, unit: [MINUTE, "m"], rest: [SECOND, "s"] },
  { belowMs: 3 * HOUR, unit: [MINUTE, "m"] },
  { belowMs: 8 * HOUR, unit: [HOUR, "h"], rest: [MINUTE, "m"] },
  { belowMs: 2 * DAY, unit: [HOUR, "h"] },
  { belowMs: 8 * DAY, unit: [DAY, "d"], rest: [HOUR, "h"] },
  { belowMs: 2 * YEAR, unit: [DAY, "d"] },
  { belowMs: 8 * YEAR, unit: [YEAR, "y"], rest: [DAY, "d"] },
  { belowMs: Number.POSITIVE_INFINITY, unit: [YEAR, "y"] },
];

/** A span as kubectl shows ages: `45s`, `5m30s`, `3h`, `7d2h`. */
export function humanDuration(ms: number): string {
  if (ms <= -2 * SECOND) return "<invalid>"; // clocks may differ by a little, not by more
  const span = Math.max(0, ms);
  const step = STEPS.find(({ belowMs }) => span < belowMs);
  if (step === undefined) return "<invalid>";
  const [size, letter] = step.unit;
  const text = `${Math.floor(span / size)}${letter}`;
  if (step.rest === undefined) return text;
  const [restSize, restLetter] = step.rest;
  const rest = Math.floor((span % size) / restSize);
  return rest === 0 ? text : `${text}${rest}${restLetter}`;
}
