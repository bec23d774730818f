// What joining and renewing have in common when they write by compare-and-set.
import { ApiError } from "../../client/object-client.js";
import { MANAGER } from "../labels.js";

export const MAX_ATTEMPTS = 10;
export const MANAGED = { fieldManager: MANAGER };
export const isLostRace = (error: unknown): boolean => error instanceof ApiError && error.reason === "Conflict";
export const isThere = (error: unknown): boolean => error instanceof ApiError && error.reason === "AlreadyExists";
export const isGone = (error: unknown): boolean => error instanceof ApiError && error.code === 404;
