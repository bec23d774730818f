import { fillLmdbStore } from "../../store/lmdb/fill.js";
import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import { snapshotContract } from "../contract/snapshot.contract.js";
import { type OpenStore, storeContract } from "../contract/store.contract.js";

const open: OpenStore = (folder, { keepChanges, keepHeldChanges, progressMs }) =>
  openLmdbStore({
    folder,
    window: {
      ...(keepChanges !== undefined && { changes: keepChanges }),
      ...(keepHeldChanges !== undefined && { hardChanges: keepHeldChanges }),
    },
    ...(progressMs !== undefined && { progressMs }),
  });

storeContract("lmdb", open);
snapshotContract("lmdb", open, (folder, entries, revision) => fillLmdbStore({ folder, entries, revision }));
