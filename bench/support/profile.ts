// A CPU profile of just the part that is measured, for Chrome's developer tools or `speedscope`.
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

/** Profiles until the returned function is called, which writes the file. Does nothing without a file. */
export async function startProfile(file: string | undefined): Promise<() => Promise<void>> {
  if (!file) return async () => undefined;
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 500 });
  await session.post("Profiler.start");
  return async () => {
    const { profile } = await session.post("Profiler.stop");
    session.disconnect();
    writeFileSync(file, JSON.stringify(profile));
  };
}
