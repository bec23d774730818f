// How soon a dead connection is noticed: what may have happened in that time is unknown to both ends.

/** Between the client's pings to nats-server. */
export const PING_INTERVAL_MS = 2000;
/** Pings without an answer before the connection counts as dead. */
export const MAX_PINGS_OUT = 2;
/** A connection that is reported lost may have been dead for so long. */
export const LOSS_NOTICED_WITHIN_MS = PING_INTERVAL_MS * (MAX_PINGS_OUT + 1);
