// A token to join with: found by its name, and used by one machine.
import { isSecretOf, type TokenText } from "../../api/access-token.js";
import { clusterNameOf, objectName } from "../../api/names.js";
import type { AccessToken, ContainerInstance } from "../../api/types.gen.js";
import type { JoinRequest } from "../../bus/enrolment.js";
import type { InstanceId } from "../../bus/messages.js";
import type { ObjectClient } from "../../client/object-client.js";
import { type Admitted, decideJoin } from "./decide.js";
import type { EnrolmentDeps } from "./enrolment.js";
import { refusalError, refuse } from "./refusal.js";
import { isGone, isLostRace, MANAGED, MAX_ATTEMPTS } from "./writes.js";

/** @throws 401 */
export async function findToken(client: ObjectClient, text: TokenText | undefined): Promise<AccessToken> {
  const named = text && (await client.list("AccessToken", { fieldSelector: `metadata.name=${text.name}` })).items;
  const found = named?.find(
    ({ spec, metadata }) => isSecretOf(spec.hash, text?.secret ?? "") && metadata.deletionTimestamp === undefined,
  );
  if (found !== undefined) return found;
  const what = text === undefined ? "The request carries no token" : `The token ${text.name} is not known here`;
  throw refusalError(
    refuse(
      "TokenUnknown",
      `${what}: copy the whole line that \`davit token create\` printed, or make another (it may have been taken back, or be another Davit's).`,
    ).refused,
  );
}

/** Of two that race for a token, one gets it. */
export async function useToken(
  deps: EnrolmentDeps,
  text: TokenText,
  request: JoinRequest,
  id: InstanceId,
): Promise<{ token: AccessToken; admitted: Admitted }> {
  const { client, now, serverVersion } = deps;
  for (let attempt = 1; ; attempt++) {
    const token = await findToken(client, text);
    const { namespace } = token.metadata;
    const cluster = clusterNameOf(token.spec.cluster);
    const instances = (await client.list("ContainerInstance", {})).items;
    const isThis = ({ metadata }: ContainerInstance): boolean =>
      metadata.name === id && metadata.namespace === namespace;
    const decision = decideJoin({
      token,
      request,
      id,
      instance: instances.find(isThis),
      keyHolder: instances.find((each) => each.status?.publicKey === request.publicKey && !isThis(each)),
      clusterExists: (await client.get("Cluster", { namespace, name: objectName(cluster) })) !== undefined,
      serverVersion,
      nowMs: now(),
    });
    if ("refused" in decision) throw refusalError(decision.refused);
    if (decision.admitted.again) return { token, admitted: decision.admitted };
    const usedAt = new Date(now()).toISOString();
    const used = { ...token, status: { usedAt, usedBy: id, publicKey: request.publicKey } };
    try {
      await client.updateStatus("AccessToken", used, MANAGED);
      return { token, admitted: decision.admitted };
    } catch (error) {
      if (!(isLostRace(error) || isGone(error)) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
