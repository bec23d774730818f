import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import { storeContract } from "../contract/store.contract.js";

storeContract("lmdb", (folder, { keepChanges, keepHeldChanges, progressMs }) =>
  openLmdbStore({
    folder,
    window: {
      ...(keepChanges !== undefined && { changes: keepChanges }),
      ...(keepHeldChanges !== undefined && { hardChanges: keepHeldChanges }),
    },
    ...(progressMs !== undefined && { progressMs }),
  }),
);
