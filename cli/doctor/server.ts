// The API server: reachable, in time, of a version that goes with this program, with room left.
import { messageOfDisk } from "./disks.js";
import { aheadMs, type Check, duration, note, problem } from "./facts.js";

const DAY_MS = 86_400_000;
/** A start makes a new certificate when the old one has less left. */
const RENEWED_BELOW_MS = 30 * DAY_MS;
const URGENT_MS = 7 * DAY_MS;
/** More than what NTP leaves and less than what breaks credentials that live for minutes. */
export const MAX_SKEW_MS = 2_000;
/** Of the heap, beyond which collecting garbage takes over. */
const FULL_HEAP = 0.85;

export const serverChecks: readonly Check[] = [
  ({ refused, server }) =>
    refused === undefined
      ? []
      : [
          problem(
            "API",
            `The API at ${server} does not let you look: ${refused}`,
            "Name another kubeconfig with --kubeconfig: its token may have expired, or be of too low a role.",
          ),
        ],

  ({ unreachable, local }) => {
    if (unreachable === undefined) return [];
    const remedy =
      local === undefined
        ? "Run `davit doctor` on the machine that runs it; is that machine up, and its port reachable from here?"
        : local.up
          ? `What the server says is in ${local.root}/logs/server.log.`
          : "Start it with `davit up`.";
    return [problem("API", `The API is out of reach: ${unreachable}.`, remedy)];
  },

  ({ certificate, nowMs }) => {
    if (!certificate) return [];
    const restart = "Restart the server, which makes a new one: `davit down && davit up --detach`.";
    const leftMs = certificate.validToMs - nowMs;
    const caLeftMs = (certificate.caValidToMs ?? Number.POSITIVE_INFINITY) - nowMs;
    return [
      ...(leftMs <= 0 ? [problem("certificate", "The API server's certificate has expired.", restart)] : []),
      ...(leftMs > 0 && leftMs < URGENT_MS
        ? [problem("certificate", `The API server's certificate expires in ${duration(leftMs)}.`, restart)]
        : []),
      ...(leftMs >= URGENT_MS && leftMs < RENEWED_BELOW_MS
        ? [note("certificate", `The API server's certificate expires in ${duration(leftMs)}.`, restart)]
        : []),
      ...(caLeftMs < 90 * DAY_MS
        ? [
            problem(
              "certificate",
              `The CA's certificate ${caLeftMs <= 0 ? "has expired" : `expires in ${duration(caLeftMs)}`}.`,
              "Move the folder pki/ of the data folder away and restart: then every kubeconfig must be copied anew, and every machine must join anew.",
            ),
          ]
        : []),
    ];
  },

  ({ diagnosis }) => {
    if (!diagnosis) return [];
    const ahead = aheadMs(diagnosis.value.nowMs, diagnosis);
    const uncertain = (diagnosis.receivedMs - diagnosis.sentMs) / 2;
    if (Math.abs(ahead) - uncertain <= MAX_SKEW_MS) return [];
    return [
      problem(
        "clock",
        `The server's clock is ${duration(Math.abs(ahead))} ${ahead > 0 ? "ahead of" : "behind"} this machine's.`,
        "Let both keep time by NTP (`timedatectl set-ntp true`).",
      ),
    ];
  },

  ({ diagnosis, version }) => {
    const server = diagnosis?.value.davitVersion;
    if (server === undefined || minorOf(server) === minorOf(version)) return [];
    return [
      note(
        "version",
        `This program is Davit ${version}, the server is ${server}.`,
        `Use Davit ${server} here, or update the server.`,
      ),
    ];
  },

  ({ diagnosis }) => {
    if (!diagnosis) return [];
    const { connected, eventsOpen } = diagnosis.value.bus;
    if (!connected)
      return [
        problem(
          "bus",
          "The server is not connected to the bus: no machine gets new work, and none is heard.",
          "Is nats-server up? Its log is logs/nats.log in the server's data folder; `davit status` shows its process.",
        ),
      ];
    if (!eventsOpen)
      return [
        problem(
          "event stream",
          "Changes do not get into the event stream.",
          "logs/server.log says why; is the disk of nats-server full, or JetStream off there?",
        ),
      ];
    return [];
  },

  ({ diagnosis }) => {
    if (!diagnosis) return [];
    const { store, heap, disk } = diagnosis.value;
    const { log, limit, hardLimit } = store;
    const held = log.changes > 1.1 * limit.changes || log.bytes > 1.1 * limit.bytes;
    const share = Math.max(log.changes / hardLimit.changes, log.bytes / hardLimit.bytes);
    const findings = held
      ? [
          problem(
            "store",
            `The store keeps ${log.changes} changes for the event stream, ${Math.floor(100 * share)} % of what it may: at 100 % subscribers miss some.`,
            "Bring the bus back (`davit status` shows nats-server), or give its disk room.",
          ),
        ]
      : [];
    if (heap.usedBytes > FULL_HEAP * heap.limitBytes)
      findings.push(
        problem(
          "store",
          `The server's ${store.objects} objects fill ${Math.floor((100 * heap.usedBytes) / heap.limitBytes)} % of its memory.`,
          "Start it with more: NODE_OPTIONS=--max-old-space-size=MIB `davit up`; or keep fewer stopped tasks (the cluster's retention).",
        ),
      );
    const full = messageOfDisk(disk);
    if (full)
      findings.push(
        problem(
          "disk",
          `The server's data folder has ${full}`,
          `Make room on the file system of ${disk.path}; a store that can't be written ends the server.`,
        ),
      );
    return findings;
  },
];

const minorOf = (version: string): string => version.split(".").slice(0, 2).join(".");
