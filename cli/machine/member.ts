// The agent of a joined machine, in this process, from a good credential to its goodbye.
import { hostname, uptime } from "node:os";
import { type Agent, createAgent } from "../../agent/agent.js";
import { contactFile } from "../../agent/contact.js";
import { createIntrospection, type Introspection } from "../../agent/introspection.js";
import type { Log } from "../../api/log.js";
import { createAgentBus } from "../../bus/agent.js";
import { type BusConnection, connectBus } from "../../bus/connect.js";
import { inboxPrefix } from "../../bus/subjects.js";
import { messageOf } from "../failure.js";
import { ownCommit } from "../own-commit.js";
import { ownVersion } from "../own-version.js";
import { addressTowards } from "./address.js";
import { optionsFromEnvironment, runtimes } from "./agent-parts.js";
import { type Identity, type MachineFolder, readIdentity } from "./folder.js";
import { bootId } from "./machine-id.js";
import { agentOptions } from "./options.js";
import { askWhileOutOfReach } from "./out-of-reach.js";
import { keepRenewed } from "./renewal.js";

export interface Member {
  agent: Agent;
  /** Once there is a session: programs on this machine may ask the agent. A port that is taken is a word in the log. */
  introspect(): Promise<void>;
  /** Lets go of bus and runtime; the agent has said its goodbye before. */
  close(): Promise<void>;
}

/** Waits for a good credential, then connects. The agent is not started yet. @throws Error when the signal aborts */
export async function createMember(
  folder: MachineFolder,
  first: Identity,
  log: Log,
  signal: AbortSignal,
): Promise<Member> {
  let connection: BusConnection | undefined;
  const fromEnvironment = optionsFromEnvironment();
  const renewal = keepRenewed({
    ...{ folder, now: Date.now, random: Math.random, log },
    onRenewed: (now, before) => {
      if (now.busUrls.join() !== before.busUrls.join() || now.busCa !== before.busCa) connection?.reconnect();
    },
  });
  signal.addEventListener("abort", () => renewal.close(), { once: true });
  await renewal.good();
  const present = (): Identity => readIdentity(folder) ?? first;
  const { instance, namespace, cluster, server, machineId, options } = present();
  connection = connectBus({
    servers: () => present().busUrls,
    tls: () => {
      const { busCa } = present();
      return busCa === undefined ? undefined : { ca: busCa };
    },
    credentials: { file: folder.credentials },
    name: `davit agent ${options.hostname ?? hostname()}`,
    inboxPrefix: inboxPrefix(instance),
    log,
  });
  const bus = createAgentBus({ connection, instance, log });
  const runtime = (await runtimes(options.runtime ?? "docker"))(instance);
  const own = agentOptions(options);
  const boot = bootId();
  const agent = createAgent({
    ...{ instance, namespace, cluster, bus, runtime, log },
    options: {
      ...fromEnvironment,
      ...own,
      attributes: [...(fromEnvironment.attributes ?? []), ...(own.attributes ?? [])],
      agentVersion: ownVersion(),
      agentHash: ownCommit(),
      machineId,
      bootId: boot,
      hostname: options.hostname ?? hostname(),
      address: (await addressTowards(server)) ?? "127.0.0.1",
    },
    contact: contactFile(folder.contact, boot),
    now: Date.now,
    uptimeMs: () => uptime() * 1000,
    random: Math.random,
  });
  const live = connection;
  const stopAsking = askWhileOutOfReach({
    connection: live,
    ask() {
      log.info({ servers: present().busUrls }, "the bus is out of reach: asking the control plane where it is");
      renewal.hasten();
    },
    random: Math.random,
  });
  let introspection: Introspection | undefined;
  return {
    agent,
    async introspect() {
      const port = options.introspectionPort;
      if (port === 0) return;
      try {
        introspection = await createIntrospection({ agent, log, ...(port !== undefined && { port }) });
      } catch (error) {
        log.error({}, messageOf(error));
      }
    },
    async close() {
      await introspection?.close();
      stopAsking();
      renewal.close();
      await runtime.close();
      await bus.close();
      await live.close();
    },
  };
}
