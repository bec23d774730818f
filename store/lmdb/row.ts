import type { ApiObject } from "../../api/meta.js";
import type { Change, Key, Revision } from "../store.js";

// One row of the log: type (1 byte), previous revision of the key or 0 (8 bytes, double), length of the key
// (2 bytes), key, the object as JSON. The head can be read without parsing the object.
const KEY_OFFSET = 11;
const TYPES = ["ADDED", "MODIFIED", "DELETED"] as const;

export interface RowHead {
  type: Change["type"];
  key: Key;
  /** 0 for none. */
  previousRevision: Revision;
}

export function encodeRow(head: RowHead, json: string): Buffer {
  const keyBytes = Buffer.byteLength(head.key);
  const row = Buffer.allocUnsafe(KEY_OFFSET + keyBytes + Buffer.byteLength(json));
  row.writeUInt8(TYPES.indexOf(head.type), 0);
  row.writeDoubleBE(head.previousRevision, 1);
  row.writeUInt16BE(keyBytes, 9);
  row.write(head.key, KEY_OFFSET);
  row.write(json, KEY_OFFSET + keyBytes);
  return row;
}

export function decodeHead(row: Buffer): RowHead {
  const type = TYPES[row.readUInt8(0)];
  if (!type) throw new RangeError(`unknown type ${row.readUInt8(0)} in a row of the log`);
  return {
    type,
    previousRevision: row.readDoubleBE(1),
    key: row.toString("utf8", KEY_OFFSET, KEY_OFFSET + row.readUInt16BE(9)),
  };
}

export function decodeObject(row: Buffer): ApiObject {
  return JSON.parse(row.toString("utf8", KEY_OFFSET + row.readUInt16BE(9)));
}
