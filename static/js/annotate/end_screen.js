// What to do when there is no photo: own work, and other campaigns of the person that have photos.

import { request } from "./api.js";
import { gettext, ngettext } from "../texts.js";

const TITLES = {
  all_done: gettext("All done"),
  answered: gettext("Your part is done"),
  reserved: gettext("The rest is with others right now"),
  paused: gettext("Paused"),
  closed: gettext("Closed"),
  no_photos: gettext("No photos yet"),
  problems: gettext("No photo is left"),
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
    const done = total ? `${ngettext("You have rated %(n)s photo here.", "You have rated %(n)s photos here.", total)} ` : "";
    return {
      title: error ? gettext("Photos could not be loaded") : (TITLES[emptyKind] ?? gettext("Nothing to do right now")),
      reason: error?.message ?? emptyBecause,
      note: `${error ? "" : done}${gettext("This page checks for photos automatically.")}`,
      button: error ? gettext("Try again") : gettext("Check again"),
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
      text: gettext("Rate in %(name)s (%(count)s left)", { name, count: count.toLocaleString("en") }),
      isPrimary: place === 0,
    }));
    return error ? [] : [...others, { href: this.#config.ownWorkUrl, text: gettext("Your work") }];
  }
}
