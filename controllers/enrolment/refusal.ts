// What a machine is answered that may not join, or not stay: one sentence for a person, and a word for the program.
import { type ApiError, apiError } from "../../client/object-client.js";

/** Each word with its HTTP status. With any of these it is of no use to ask again unchanged. */
const CODES = {
  InvalidRequest: 400,
  /** No such token, or its secret is another one. */
  TokenUnknown: 401,
  TokenExpired: 401,
  TokenUsed: 401,
  /** It is for people. */
  TokenForUsers: 401,
  SignatureInvalid: 401,
  WrongCluster: 403,
  ClusterNotFound: 404,
  VersionSkew: 409,
  /** Another machine with this identity, or with this key, is at work. */
  Cloned: 409,
  OtherCluster: 409,
  /** The machine is on its way out. */
  Leaving: 409,
  Revoked: 403,
  Deregistered: 403,
  /** No machine has joined under this identity. */
  Unknown: 403,
} as const;

export type RefusalReason = keyof typeof CODES;
export interface Refused {
  reason: RefusalReason;
  message: string;
}

export const refuse = (reason: RefusalReason, message: string): { refused: Refused } => ({
  refused: { reason, message },
});

export const refusalError = ({ reason, message }: Refused): ApiError => apiError(CODES[reason], reason, message);
