// The two ends of the bus as the rest of Davit sees them. NATS stays behind these interfaces.
import type {
  AssignmentPush,
  Goodbye,
  Heartbeat,
  InstanceId,
  LogsChunk,
  LogsRequest,
  ProbeAnswer,
  ReportAnswer,
  ReportBatch,
  SyncAnswer,
  SyncRequest,
} from "./messages.js";

export interface Connection {
  /** Whether this process is connected now. */
  connected(): boolean;
  /** Called on each change of `connected`; returns the way to stop that. */
  onConnection(listener: (connected: boolean) => void): () => void;
  close(): Promise<void>;
}

/** The control plane's end. Answers only to reply subjects under the sender's own inbox prefix, and drops a
 *  message whose `instance` is not the one in its subject. */
export interface ControlBus extends Connection {
  /** A thrown error is logged and not answered: the agent asks again. */
  serve(handlers: {
    sync(request: SyncRequest): Promise<SyncAnswer>;
    report(batch: ReportBatch): Promise<ReportAnswer>;
    heartbeat(message: Heartbeat): void;
    goodbye(message: Goodbye): void;
  }): void;
  /** Fire and forget: a lost push is seen by its `seq`. */
  push(instance: InstanceId, message: AssignmentPush): void;
  supersede(instance: InstanceId, epoch: number): void;
  /** Ends with the signal; @throws if the agent does not answer. */
  logs(instance: InstanceId, request: LogsRequest, signal: AbortSignal): AsyncIterable<LogsChunk>;
  /** @throws Error if the agent does not answer in time, or answers what is no ProbeAnswer */
  probe(instance: InstanceId, timeoutMs: number): Promise<ProbeAnswer>;
}

/** One agent's end. Requests reject when unanswered for `timeoutMs`; the caller asks again. */
export interface AgentBus extends Connection {
  sync(request: SyncRequest, timeoutMs: number): Promise<SyncAnswer>;
  report(batch: ReportBatch, timeoutMs: number): Promise<ReportAnswer>;
  heartbeat(message: Heartbeat): void;
  goodbye(message: Goodbye): void;
  serve(handlers: {
    push(message: AssignmentPush): void;
    superseded(epoch: number): void;
    logs(request: LogsRequest, signal: AbortSignal): AsyncIterable<LogsChunk>;
    /** A thrown error is logged and not answered. */
    probe(): Promise<ProbeAnswer>;
  }): void;
}
