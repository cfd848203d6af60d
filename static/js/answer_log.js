// The log of answers in this browser (IndexedDB): what is in it, the server has not confirmed.
// Entries: {order, annotator, url, body, refused}; `order` is given by the log and ascends.

const DATABASE = "iqs-answers";
const STORE = "answers";

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

class BrowserLog {
  isLasting = true;

  constructor(database) {
    this.database = database;
  }

  #transact(mode, work) {
    const transaction = this.database.transaction(STORE, mode, { durability: "strict" });
    const request = work(transaction.objectStore(STORE));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  }

  all(annotator) {
    return this.#transact("readonly", (store) => store.index("annotator").getAll(annotator));
  }

  add(entry) {
    return this.#transact("readwrite", (store) => store.add(entry));
  }

  put(entry) {
    return this.#transact("readwrite", (store) => store.put(entry));
  }

  remove(order) {
    return this.#transact("readwrite", (store) => store.delete(order));
  }
}

// Where the browser forbids IndexedDB: the answers live as long as the page, and the page says so.
class PageLog {
  isLasting = false;
  #entries = new Map();
  #last = 0;

  async all(annotator) {
    return [...this.#entries.values()].filter((entry) => entry.annotator === annotator);
  }

  async add(entry) {
    this.#last += 1;
    this.#entries.set(this.#last, { ...entry, order: this.#last });
    return this.#last;
  }

  async put(entry) {
    this.#entries.set(entry.order, entry);
  }

  async remove(order) {
    this.#entries.delete(order);
  }
}

export async function openAnswerLog() {
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => {
      const store = opening.result.createObjectStore(STORE, { keyPath: "order", autoIncrement: true });
      store.createIndex("annotator", "annotator");
    };
    return new BrowserLog(await done(opening));
  } catch {
    return new PageLog();
  }
}
