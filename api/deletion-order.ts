// What holds others is deleted after them: the API refuses to delete a cluster with services in it.
const LAST: readonly string[] = ["ContainerInstance", "Cluster", "Namespace"];

/** Kinds with a lower number go first; equal ones may go in any order. */
export const deletionRank = (kind: string): number => LAST.indexOf(kind) + 1;
