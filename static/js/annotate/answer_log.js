// The log of answers in this browser (IndexedDB). An answer is written here before it leaves, and what waits here
// the server has not confirmed. Confirmed ones stay a while as a record to compare with the server.
// Entries: {order, annotator, url, body, state, at, refused}; `order` is given by the log and ascends; `at` is the
// browser's clock, for people to read and for nothing else; `refused` is the server's sentence, else empty.
// States: waiting; saved (the server confirmed it); discarded (the server refused it, and the person saw why).

const DATABASE = "iqs-answers";
const STORE = "answers";
const KEPT = 500; // of each annotator's saved and discarded entries

function opened() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 2);
    opening.onupgradeneeded = () => upgrade(opening);
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new Error("A page of an earlier version holds the log."));
    opening.onsuccess = () => {
      const database = opening.result;
      database.onversionchange = () => database.close(); // a page of a later version must not wait for this one
      resolve(database);
    };
  });
}

function upgrade({ result: database, transaction }) {
  const isThere = database.objectStoreNames.contains(STORE);
  const store = isThere ? transaction.objectStore(STORE) : database.createObjectStore(STORE, { keyPath: "order", autoIncrement: true });
  if (isThere) store.deleteIndex("annotator"); // of version 1, where every entry was waiting
  store.createIndex("whose", ["annotator", "state"]);
  store.createIndex("state", "state");
  store.openCursor().onsuccess = ({ target: { result: cursor } }) => {
    if (!cursor) return;
    cursor.update({ at: null, state: "waiting", ...cursor.value });
    cursor.continue();
  };
}

class BrowserLog {
  isLasting = true;
  #database;

  constructor(database) {
    this.#database = database;
  }

  waiting(annotator) {
    return this.#transact("readonly", (store) => store.index("whose").getAll([annotator, "waiting"]));
  }

  all(annotator) {
    return this.#transact("readonly", (store) => store.index("whose").getAll(IDBKeyRange.bound([annotator], [annotator, []])));
  }

  async waitingOfOthers(annotator) {
    const everybody = await this.#transact("readonly", (store) => store.index("state").count("waiting"));
    return everybody - (await this.#transact("readonly", (store) => store.index("whose").count([annotator, "waiting"])));
  }

  // Resolves with the entry's order once it is on the disk. Where there is no room, the record of what is saved makes it.
  async add(entry) {
    try {
      return await this.#transact("readwrite", (store) => store.add(entry));
    } catch (error) {
      if (error?.name !== "QuotaExceededError") throw error;
      for (const state of ["saved", "discarded"]) await this.#drop((store) => store.index("state"), state);
      return this.#transact("readwrite", (store) => store.add(entry));
    }
  }

  // `isRecord`: it only notes what is known elsewhere too, so it need not wait for the disk.
  put(entry, { isRecord = false } = {}) {
    return this.#transact("readwrite", (store) => store.put(entry), isRecord ? "relaxed" : "strict");
  }

  remove(order) {
    return this.#transact("readwrite", (store) => store.delete(order), "relaxed");
  }

  // Lets go of the oldest records beyond KEPT.
  async trim(annotator) {
    for (const state of ["saved", "discarded"]) {
      const count = await this.#transact("readonly", (store) => store.index("whose").count([annotator, state]));
      if (count > KEPT) await this.#drop((store) => store.index("whose"), [annotator, state], count - KEPT);
    }
  }

  #drop(indexOf, key, most = Infinity) {
    return this.#transact("readwrite", (store) => {
      const opening = indexOf(store).openKeyCursor(IDBKeyRange.only(key));
      opening.onsuccess = () => {
        const cursor = opening.result;
        if (!cursor || most <= 0) return;
        most -= 1;
        store.delete(cursor.primaryKey);
        cursor.continue();
      };
      return opening;
    }, "relaxed");
  }

  // A browser may close its databases under a page (a phone that slept, cleared site data): then once more.
  async #transact(mode, work, durability = "strict") {
    try {
      return await transact(this.#database, mode, work, durability);
    } catch (error) {
      if (!["InvalidStateError", "UnknownError"].includes(error?.name)) throw error;
      this.#database = await opened();
      return transact(this.#database, mode, work, durability);
    }
  }
}

function transact(database, mode, work, durability) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode, { durability });
    let request = null;
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => reject(transaction.error);
    request = work(transaction.objectStore(STORE));
  });
}

// Where the browser forbids IndexedDB: the answers live as long as the page, and the page says so.
class PageLog {
  isLasting = false;
  #entries = new Map();
  #last = 0;

  async waiting(annotator) {
    return (await this.all(annotator)).filter((entry) => entry.state === "waiting");
  }

  async all(annotator) {
    return [...this.#entries.values()].filter((entry) => entry.annotator === annotator);
  }

  async waitingOfOthers() {
    return 0;
  }

  async add(entry) {
    this.#last += 1;
    this.#entries.set(this.#last, { ...entry, order: this.#last });
    return this.#last;
  }

  async put(entry) {
    this.#entries.set(entry.order, { ...entry });
  }

  async remove(order) {
    this.#entries.delete(order);
  }

  async trim(annotator) {
    const records = (await this.all(annotator)).filter((entry) => entry.state !== "waiting");
    for (const { order } of records.slice(0, -KEPT)) this.#entries.delete(order);
  }
}

export async function openAnswerLog() {
  try {
    return new BrowserLog(await opened());
  } catch {
    return new PageLog();
  }
}
