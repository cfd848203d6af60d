// What to do when there is no photo: own work, and other campaigns of the person that have photos.

import { request } from "./api.js";

const TITLES = {
  all_done: "All done",
  answered: "Your part is done",
  reserved: "The rest is with others right now",
  paused: "Paused",
  closed: "Closed",
  no_photos: "No photos yet",
  problems: "No photo is left",
};

export class EndScreen {
  #config;
  #campaigns = []; // other campaigns with photos, from the last question
  #changed;
  #isAsking = false;

  // changed() is called when there are other links.
  constructor(config, changed) {
    this.#config = config;
    this.#changed = changed;
  }

  // Returns the contents of the card for a page without photos. total: rated photos in the campaign, or null.
  card(leases, total, onClick) {
    const { error, emptyBecause, emptyKind } = leases;
    const done = total ? `You have rated ${total.toLocaleString("en")} photo${total === 1 ? "" : "s"} here. ` : "";
    return {
      title: error ? "Photos could not be loaded" : (TITLES[emptyKind] ?? "Nothing to do right now"),
      reason: error?.message ?? emptyBecause,
      note: `${error ? "" : done}This page checks for photos automatically.`,
      button: error ? "Try again" : "Check again",
      links: this.#links(error),
      isIdle: true,
      onClick,
    };
  }

  // Asks which other campaigns have photos. Without a connection there are no links to them.
  async ask() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const { campaigns } = await request(this.#config.workUrl);
      const others = campaigns.filter(({ url }) => url !== location.pathname).slice(0, 3);
      const isOther = JSON.stringify(others) !== JSON.stringify(this.#campaigns);
      this.#campaigns = others;
      if (isOther) this.#changed();
    } catch {
      // the card has its other links
    } finally {
      this.#isAsking = false;
    }
  }

  #links(error) {
    const others = this.#campaigns.map(({ name, url, photos_left: count }, place) => ({
      href: url,
      text: `Rate in ${name} (${count.toLocaleString("en")} left)`,
      isPrimary: place === 0,
    }));
    return error ? [] : [...others, { href: this.#config.ownWorkUrl, text: "Your work" }];
  }
}
