import type { Type } from "protobufjs";
import type { Schema } from "../../api/crd.js";
import type { Resource } from "../resources/resource.js";
import { type ComponentSchema, collectionPath, componentName, groupDocument } from "./openapi-v3.js";

// kubectl before 1.27 reads OpenAPI v2 only, and only in gnostic's protobuf form (openapiv2/OpenAPIv2.proto of
// google/gnostic, Apache-2.0). Below is the part of that message that is filled in; the numbers are the wire format.
const PROTO = `
syntax = "proto3";
package openapi.v2;
message Document { string swagger = 1; Info info = 2; Paths paths = 8; Definitions definitions = 9; }
message Info { string title = 1; string version = 2; }
message Paths { repeated NamedPathItem path = 2; }
message NamedPathItem { string name = 1; PathItem value = 2; }
message PathItem { Operation patch = 8; }
message Operation { string operation_id = 5; repeated ParametersItem parameters = 8; repeated NamedAny vendor_extension = 13; }
message ParametersItem { Parameter parameter = 1; }
message Parameter { NonBodyParameter non_body_parameter = 2; }
message NonBodyParameter { QueryParameter query_parameter_sub_schema = 3; }
message QueryParameter { string in = 2; string name = 4; string type = 6; }
message Definitions { repeated NamedSchema additional_properties = 1; }
message NamedSchema { string name = 1; Schema value = 2; }
message NamedAny { string name = 1; Any value = 2; }
message Any { string yaml = 2; }
message TypeItem { repeated string value = 1; }
message ItemsItem { repeated Schema schema = 1; }
message AdditionalPropertiesItem { Schema schema = 1; bool boolean = 2; }
message Properties { repeated NamedSchema additional_properties = 1; }
message Schema {
  string _ref = 1; string format = 2; string description = 4; repeated string required = 19;
  AdditionalPropertiesItem additional_properties = 21; TypeItem type = 22; ItemsItem items = 23;
  Properties properties = 25; repeated NamedAny vendor_extension = 31;
}`;

export const V2_CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/** @returns the encoded document of all kinds */
export async function encodeV2(resources: readonly Resource[]): Promise<Uint8Array> {
  const protobuf = await import("protobufjs");
  const { root } = protobuf.default.parse(PROTO, { keepCase: true });
  const document: Type = root.lookupType("openapi.v2.Document");
  return document.encode(document.create(v2Document(resources))).finish();
}

function v2Document(resources: readonly Resource[]) {
  const { schemas } = groupDocument(resources).components;
  return {
    swagger: "2.0",
    info: { title: "Davit", version: "v1" },
    paths: { path: resources.map(patchPath) },
    definitions: {
      additional_properties: Object.entries(schemas).map(([name, schema]) => ({ name, value: v2Schema(schema) })),
    },
  };
}

/** kubectl asks of the paths only whether PATCH takes dryRun. */
function patchPath(resource: Resource) {
  const parameters = ["dryRun", "fieldManager"].map((name) => ({
    parameter: { non_body_parameter: { query_parameter_sub_schema: { name, in: "query", type: "string" } } },
  }));
  const { group, version, kind } = resource;
  return {
    name: `${collectionPath(resource)}/{name}`,
    value: {
      patch: {
        operation_id: `patch${componentName(resource)}`,
        parameters,
        vendor_extension: [extension("x-kubernetes-group-version-kind", { group, version, kind })],
      },
    },
  };
}

// JSON is YAML.
const extension = (name: string, value: unknown) => ({ name, value: { yaml: JSON.stringify(value) } });

function v2Schema(schema: ComponentSchema): object {
  const [target] = (schema.allOf ?? []) as { $ref?: string }[];
  // A reference may have nothing beside it here.
  if (target?.$ref !== undefined) return { _ref: target.$ref.replace("#/components/schemas/", "#/definitions/") };
  const { additionalProperties: others, properties, items, type, required, format, description } = schema;
  const mayBeAnything = schema["x-kubernetes-preserve-unknown-fields"] || schema["x-kubernetes-int-or-string"];
  const gvk = schema["x-kubernetes-group-version-kind"];
  return {
    description: description ?? "",
    ...(format !== undefined && { format }),
    ...(required && { required }),
    ...(type && !mayBeAnything && { type: { value: [type] } }),
    ...(properties && { properties: { additional_properties: named(properties) } }),
    ...(others && { additional_properties: { schema: v2Schema(others) } }),
    ...(items && { items: { schema: [v2Schema(items)] } }),
    vendor_extension: gvk ? [extension("x-kubernetes-group-version-kind", gvk)] : [],
  };
}

const named = (properties: Record<string, Schema | object>) =>
  Object.entries(properties).map(([name, schema]) => ({ name, value: v2Schema(schema as ComponentSchema) }));
