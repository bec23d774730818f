// Tokens of people and of machines that are to join.
import type { AccessToken } from "../../api/types.gen.js";
import { type Check, duration, type Facts, type Finding, namespaceFlag, note, serverTime } from "./facts.js";

const SOON_MS = 3 * 86_400_000;

export const tokenChecks: readonly Check[] = [
  (facts) => facts.tokens.flatMap((token) => tokenFinding(token, facts)),

  ({ local }) =>
    local && local.fileTokens > 0
      ? [
          note(
            "token",
            `${local.root}/pki/tokens.csv holds ${local.fileTokens} token${local.fileTokens === 1 ? "" : "s"} that never expire${local.fileTokens === 1 ? "s" : ""}.`,
            "Give people and programs their own (`davit token create --role viewer`), which end and can be taken back.",
          ),
        ]
      : [],
];

function tokenFinding({ metadata, spec }: AccessToken, facts: Facts): Finding[] {
  const leftMs = Date.parse(spec.expiresAt) - serverTime(facts, facts.nowMs);
  const whose = spec.use === "Join" ? "for joining" : `of role ${spec.role}`;
  if (leftMs <= 0)
    return [
      note(
        "token",
        `Token ${metadata.name} (${whose}) has expired.`,
        `\`davit delete accesstoken ${metadata.name}${namespaceFlag(metadata)}\` removes it.`,
      ),
    ];
  if (spec.use === "User" && leftMs < SOON_MS)
    return [
      note(
        "token",
        `Token ${metadata.name} (${whose}) expires in ${duration(leftMs)}.`,
        `\`davit token create --role ${spec.role}\` makes the next one.`,
      ),
    ];
  return [];
}
