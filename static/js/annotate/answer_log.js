// The log of answers in this browser (IndexedDB). An answer is written to the log before it is sent, and waits there
// until the server confirms it. Confirmed answers stay for a while, so that people can compare them with the server.
// Entries: {order, annotator, campaign, url, body, state, at, refused}. `order` is an ascending number from the log.
// `campaign` is an id. `at` is the browser's time and only shown to people. `refused` is the server's sentence, or empty.
// States: waiting; saved (the server confirmed it); discarded (the server refused it and the person discarded it).

const DATABASE = "iqs-answers";
const STORE = "answers";
const MAX_RECORDS = 500; // saved and discarded entries of each annotator, for each of the two states

function openDatabase() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 2);
    opening.onupgradeneeded = () => upgrade(opening);
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new Error("A page of an earlier version blocks the log."));
    opening.onsuccess = () => {
      const database = opening.result;
      database.onversionchange = () => database.close(); // do not block a page of a later version
      resolve(database);
    };
  });
}

function upgrade({ result: database, transaction }) {
  const exists = database.objectStoreNames.contains(STORE);
  const store = exists ? transaction.objectStore(STORE) : database.createObjectStore(STORE, { keyPath: "order", autoIncrement: true });
  if (exists) store.deleteIndex("annotator"); // from version 1, where all entries were waiting
  store.createIndex("whose", ["annotator", "state"]);
  store.createIndex("state", "state");
  store.openCursor().onsuccess = ({ target: { result: cursor } }) => {
    if (!cursor) return;
    cursor.update({ at: null, state: "waiting", ...cursor.value });
    cursor.continue();
  };
}

class BrowserLog {
  isPersistent = true;
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

  // Resolves with the entry's order when it is on the disk. If the storage is full, saved and discarded entries are deleted.
  async add(entry) {
    try {
      return await this.#transact("readwrite", (store) => store.add(entry));
    } catch (error) {
      if (error?.name !== "QuotaExceededError") throw error;
      for (const state of ["saved", "discarded"]) await this.#delete((store) => store.index("state"), state);
      return this.#transact("readwrite", (store) => store.add(entry));
    }
  }

  // isRecord: the server has the same information, so the write does not wait for the disk.
  put(entry, { isRecord = false } = {}) {
    return this.#transact("readwrite", (store) => store.put(entry), isRecord ? "relaxed" : "strict");
  }

  remove(order) {
    return this.#transact("readwrite", (store) => store.delete(order), "relaxed");
  }

  // Deletes the oldest entries above MAX_RECORDS.
  async trim(annotator) {
    for (const state of ["saved", "discarded"]) {
      const count = await this.#transact("readonly", (store) => store.index("whose").count([annotator, state]));
      if (count > MAX_RECORDS) await this.#delete((store) => store.index("whose"), [annotator, state], count - MAX_RECORDS);
    }
  }

  #delete(indexOf, key, limit = Infinity) {
    return this.#transact("readwrite", (store) => {
      const opening = indexOf(store).openKeyCursor(IDBKeyRange.only(key));
      opening.onsuccess = () => {
        const cursor = opening.result;
        if (!cursor || limit <= 0) return;
        limit -= 1;
        store.delete(cursor.primaryKey);
        cursor.continue();
      };
      return opening;
    }, "relaxed");
  }

  // The browser may close the database of an open page (after sleep, or when site data is cleared). Then it is reopened.
  async #transact(mode, work, durability = "strict") {
    try {
      return await transact(this.#database, mode, work, durability);
    } catch (error) {
      if (!["InvalidStateError", "UnknownError"].includes(error?.name)) throw error;
      this.#database = await openDatabase();
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

// Used where the browser forbids IndexedDB. The answers exist only while the page is open, and the page says so.
class PageLog {
  isPersistent = false;
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
    for (const { order } of records.slice(0, -MAX_RECORDS)) this.#entries.delete(order);
  }
}

export async function openAnswerLog() {
  try {
    return new BrowserLog(await openDatabase());
  } catch {
    return new PageLog();
  }
}
