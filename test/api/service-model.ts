// Today's service model of the ECS API, as the fixtures hold it.
import { readFileSync } from "node:fs";

export interface Shape {
  type: "structure" | "list" | "map" | "string" | "integer" | "long" | "double" | "boolean" | "timestamp";
  members?: Record<string, { shape: string }>;
  required?: string[];
  member?: { shape: string };
  value?: { shape: string };
  enum?: string[];
  min?: number;
  max?: number;
  document?: boolean;
}

const file = new URL("../../../test/fixtures/corpus/ecs-service-model.json", import.meta.url);
const { shapes } = JSON.parse(readFileSync(file, "utf8")) as { shapes: Record<string, Shape> };

/** @throws if the model has no such shape: the test's own mistake */
export function shapeOf(name: string): Shape {
  const shape = shapes[name];
  if (!shape) throw new Error(`the service model has no shape ${name}`);
  return shape;
}
