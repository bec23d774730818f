// This machine, where it has the data folder.
import { messageOfDisk } from "./disks.js";
import { type Check, problem } from "./facts.js";

/** Nobody else's, to read or to write. */
const OTHERS = 0o077;

export const localChecks: readonly Check[] = [
  ({ local }) => {
    const open = local?.modes.filter(({ mode }) => (mode & OTHERS) !== 0) ?? [];
    if (open.length === 0) return [];
    const remedies = [
      ["chmod 700", open.filter(({ folder }) => folder)],
      ["chmod 600", open.filter(({ folder }) => !folder)],
    ] as const;
    return [
      problem(
        "rights",
        `Others may look into what is secret: ${open.map(({ path, mode }) => `${path} (${mode.toString(8).padStart(4, "0")})`).join(", ")}.`,
        remedies
          .filter(([, some]) => some.length > 0)
          .map(([command, some]) => `\`${command} ${some.map(({ path }) => path).join(" ")}\``)
          .join(" and "),
      ),
    ];
  },

  ({ local }) => {
    const foreign = local?.modes.filter(({ ownedByMe }) => !ownedByMe) ?? [];
    return foreign.length === 0
      ? []
      : [
          problem(
            "rights",
            `Some of the data folder is not of the user that runs Davit: ${foreign.map(({ path }) => path).join(", ")}.`,
            `\`chown -R USER ${local?.root}\`, with the user that runs \`davit up\`.`,
          ),
        ];
  },

  ({ local }) =>
    local?.docker === undefined
      ? []
      : [
          problem(
            "Docker",
            local.docker,
            "Without it this machine's agent can start and stop nothing; what runs goes on.",
          ),
        ],

  ({ local }) =>
    local?.up && local.down.length > 0
      ? [
          problem(
            "process",
            `Of this Davit ${local.down.join(" and ")} ${local.down.length === 1 ? "is" : "are"} down.`,
            `It is started again by itself, ever more slowly; its log in ${local.root}/logs says why it ends.`,
          ),
        ]
      : [],

  ({ local, diagnosis }) => {
    // The server has said so already.
    const full = local && diagnosis === undefined ? messageOfDisk(local.disk) : undefined;
    return full ? [problem("disk", `The data folder ${local?.root} has ${full}`, "Make room there.")] : [];
  },
];
