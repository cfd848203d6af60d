// Combinations of the two answers that are rare enough to be worth a second look. A hint is a quiet line beside the
// last answer; it holds nothing up. Who leaves the same combination standing a few times means it, and is not asked again.

const TOP_SHARE = 0.85; // of the way from the lowest to the highest score: 9 and 10 on a scale of 1-10
const MEANT = 3; // times

export class AnswerHints {
  #scale;
  #given = new Map(); // combination → how often it was given

  constructor({ lowest, highest }) {
    this.#scale = { lowest, highest };
  }

  // Returns the words of the hint for an answer that was just given, or nothing.
  hint({ watch, score, skipReason }) {
    const { lowest, highest } = this.#scale;
    if (skipReason || watch === "yes" || score < lowest + TOP_SHARE * (highest - lowest)) return "";
    const times = (this.#given.get(watch) ?? 0) + 1;
    this.#given.set(watch, times);
    if (times > MEANT) return "";
    return watch === "no" ? `${score} and no watch?` : `${score}, yet unsure?`;
  }

  // The person went back to it: the hint was worth its place.
  takenBack(watch) {
    this.#given.delete(watch);
  }
}
