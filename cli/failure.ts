/** Exit codes of `davit`: 0 done, 1 it failed, 2 it was called wrongly; `isFatal` ones help nobody by starting again. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** ECS's own for ECS_INSTANCE_ATTRIBUTES that cannot be read. */
  attributes: 5,
  fatal: 78,
} as const;

/** Starting again would not help. */
export const isFatal = (code: number | null): boolean => code === EXIT.fatal || code === EXIT.attributes;

/** Something the user can act on: printed as it stands, without a stack. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
  }
}

/** The command line itself is wrong. */
export class UsageError extends Failure {
  override readonly name = "UsageError";
  constructor(message: string) {
    super(message, EXIT.usage);
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
