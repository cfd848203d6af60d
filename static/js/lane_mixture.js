// The shares of the queue's lanes on the pages of a campaign's settings: the picture follows the fields, and a mixture
// with a name fills them.

const figure = document.querySelector(".mixture");
const inputs = figure ? [...figure.parentElement.querySelectorAll('input[name^="lane_"]')] : [];
const buttons = [...document.querySelectorAll("[data-mixture]")];
const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });

/** Draw the present shares. */
export function mixtureShow() {
  let start = 0;
  for (const input of inputs) {
    const share = Math.min(Math.max(input.valueAsNumber || 0, 0), 100);
    const [part, label] = figure.querySelectorAll(`[data-for="${input.name}"]`);
    part.setAttribute("x", start);
    part.setAttribute("width", Math.min(share, Math.max(100 - start, 0)));
    label.hidden = !share;
    label.querySelector("strong").textContent = `${number.format(share)} %`;
    start += share;
  }
  const sum = figure.querySelector(".mixture-sum");
  sum.textContent = Math.abs(start - 100) < 1e-6 ? "" : sum.dataset.sum.replace("%(sum)s", number.format(start));
  for (const button of buttons) {
    const shares = JSON.parse(button.dataset.mixture);
    button.setAttribute("aria-pressed", String(inputs.every((input) => Number(shares[input.name]) === (input.valueAsNumber || 0))));
  }
}

if (figure) {
  for (const input of inputs) input.addEventListener("input", mixtureShow);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const shares = JSON.parse(button.dataset.mixture);
      for (const input of inputs) {
        input.value = shares[input.name];
        input.dataset.typed = "yes";
      }
      mixtureShow();
    });
  }
  document.querySelector(".mixture-choice").hidden = false;
  mixtureShow();
}
