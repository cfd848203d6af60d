// Says so when the live part is not live, and lets nobody look at a login form inside it.

const notice = document.getElementById("not-live");

for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, () => { notice.hidden = false; });
}
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.isError) return;
  notice.hidden = true;
  if (event.detail.serverResponse.includes('id="run"')) return;
  event.detail.shouldSwap = false; // the session has ended: the poll was led to the login page
  location.reload();
});
