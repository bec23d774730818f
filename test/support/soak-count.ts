// One test serves both runs: `npm test` takes a tenth of the count that `npm run soak -- NAME` takes.

/** `full` under `npm run soak`, a tenth of it (at least 1) under `npm test`. */
export const countOf = (full: number): number => (process.env.SOAK === "1" ? full : Math.max(1, Math.ceil(full / 10)));

/** The seed of a random test, printed so that a failure can be run again: `npm run soak -- NAME --seed N`. */
export function seedOf(name: string): number {
  const given = process.env.SEED;
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  console.log(`      ${name}: seed ${seed}`);
  return seed;
}

/** A small, repeatable source of numbers in [0, 1) (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
