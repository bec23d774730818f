import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { type BusConnection, connectBus } from "../bus/connect.js";
import type { EventEnvelope } from "../bus/event-messages.js";
import { type Follower, followEvents, readerInbox } from "../bus/follow.js";
import { findResource } from "./api/resources.js";
import { Failure } from "./failure.js";
import { oneOf } from "./output/format.js";
import { grey, print, printExactly } from "./output/terminal.js";
import { credentials } from "./supervisor/children.js";
import { dataFolder } from "./supervisor/data-folder.js";
import { readState } from "./supervisor/state-file.js";

interface Options {
  watch?: boolean;
  output?: string;
  kind?: string[];
  dataDir?: string;
  natsUrl?: string;
  natsCa?: string;
  natsCreds?: string;
}

const PRESENT_WITHIN_MS = 15_000;

export function define(command: Command): void {
  command
    .description(
      "Prints the last event of everything there is, from the bus; with -w, every further change as it happens.",
    )
    .option("-w, --watch", "go on with every change, until Ctrl-C")
    .option("-o, --output <FORMAT>", "json: one event in ECS's form per line")
    .option("--kind <KIND...>", "of these kinds only")
    .option("--data-dir <D>", "data folder of the local Davit")
    .option("--nats-url <URL>", "the bus of another machine (with --nats-creds)")
    .option("--nats-ca <F>", "CA of its certificate, for tls:// (default: the system's)")
    .option("--nats-creds <F>", "a reader's credentials (`davit bus info` names them)")
    .addHelpText(
      "after",
      `
Examples:
  $ davit events -w
  $ davit events -w -o json --kind task | jq -r '.detail.lastStatus'`,
    )
    .action(events);
}

async function events(options: Options): Promise<void> {
  const json = options.output !== undefined && oneOf(options.output, ["json"], "--output") === "json";
  const kinds = options.kind?.map((kind) => findResource(kind).kind);
  const { url, file, ca } = busOf(options);
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const connection = connectBus({
    servers: url,
    ...(ca && { tls: { ca: readFileSync(ca, "utf8") } }),
    credentials: { file },
    name: "davit events",
    inboxPrefix: readerInbox,
    log: quiet,
  });
  const show = (event: EventEnvelope, deleted: boolean): void =>
    json ? printExactly(JSON.stringify(event)) : print(line(event, deleted));
  try {
    await follow(connection, kinds, options.watch ?? false, show, url);
  } finally {
    await connection.close();
  }
}

async function follow(
  connection: BusConnection,
  kinds: readonly string[] | undefined,
  watch: boolean,
  show: (event: EventEnvelope, deleted: boolean) => void,
  url: string,
): Promise<void> {
  let follower: Follower | undefined;
  let shown = false;
  /** News that came before the present was whole: printed after it. */
  const early: [EventEnvelope, boolean][] = [];
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(
      () =>
        reject(
          new Failure(
            `the present state did not come from ${url} within ${PRESENT_WITHIN_MS / 1000} s: is Davit up there?`,
          ),
        ),
      PRESENT_WITHIN_MS,
    );
    follower = followEvents({
      connection,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      ...(kinds && { kinds }),
      onEvent: (event, deleted) => (shown ? watch && show(event, deleted) : early.push([event, deleted])),
      onPresent: () => {
        clearTimeout(late);
        if (shown) return; // again after a break: what changed meanwhile is told by the events themselves
        shown = true;
        const present = [...(follower?.present().values() ?? [])].sort((a, b) => a.time.localeCompare(b.time));
        for (const event of present) show(event, false);
        for (const [event, deleted] of early) if (deleted) show(event, deleted);
        if (!watch) resolve();
      },
    });
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
  });
  follower?.close();
}

function busOf({ dataDir, natsUrl, natsCa, natsCreds }: Options): { url: string; file: string; ca?: string } {
  const folder = dataFolder(dataDir);
  const state = natsUrl === undefined ? readState(folder.state) : undefined;
  const url = natsUrl ?? state?.natsUrl;
  const ca = natsCa ?? state?.natsCaFile;
  const file = natsCreds ?? credentials(folder).reader;
  if (url === undefined || !existsSync(file))
    throw new Failure(
      `no Davit is up on ${folder.root}: start one with \`davit up\`, or name another bus with --nats-url and --nats-creds.`,
    );
  return { url, file, ...(ca && { ca }) };
}

/** `12:00:01  Task default/web-x7k2p RUNNING` */
function line({ time, detail }: EventEnvelope, deleted: boolean): string {
  const { kind, namespace, name, reason } = detail.davit;
  const state = deleted ? "DELETED" : [detail.lastStatus, detail.status].find((one) => typeof one === "string");
  const why = [detail.stoppedReason, reason].find((one) => typeof one === "string");
  const parts = [grey(time), `${kind} ${namespace}/${name}`, state, why === undefined ? undefined : `(${why})`];
  return parts.filter((part) => part !== undefined).join("  ");
}
