// Which agents' versions go with which control plane's. Pure.

/**
 * The rule: the server is updated first. An agent is of the server's minor version, or one behind; it is never ahead.
 * Patch versions, and whatever follows them, don't matter; another major version never fits.
 *
 * @param server the control plane's version, such as `1.4.2`
 * @returns undefined if the two go together, else one sentence that says what to do
 */
export function versionSkew(server: string, agent: string): string | undefined {
  const ours = parse(server);
  const theirs = parse(agent);
  // A build without a number is a developer's own, who knows.
  if (ours === undefined) return undefined;
  const range =
    ours.minor === 0 ? `${ours.major}.0` : `${ours.major}.${ours.minor - 1} and ${ours.major}.${ours.minor}`;
  const rule = `Davit ${server} works with agents of ${range}`;
  if (theirs === undefined) return `${rule}, and this one's version "${agent}" is no version: install a released one.`;
  const behind = ours.minor - theirs.minor;
  const ahead = theirs.major > ours.major || (theirs.major === ours.major && behind < 0);
  if (ahead) return `${rule}, and this one is ${agent}: update the server first.`;
  if (theirs.major < ours.major || behind > 1) return `${rule}, and this one is ${agent}: update the agent.`;
  return undefined;
}

function parse(version: string): { major: number; minor: number } | undefined {
  const [, major, minor] = /^v?([0-9]{1,6})\.([0-9]{1,6})(?:[.+-].*)?$/.exec(version) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}
