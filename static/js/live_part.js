// For pages with parts that htmx keeps live: says so when they are not, and shows no login form inside them.
// Every such part is replaced by one with the same id.

const notice = document.getElementById("not-live");

for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(failure, () => { notice.hidden = false; });
}
document.addEventListener("htmx:beforeSwap", (event) => {
  const { isError, shouldSwap, serverResponse, target } = event.detail;
  notice.hidden = !isError;
  // The session has ended: the request was led to the login page, and so is the person.
  if (!isError && shouldSwap && !serverResponse.includes(`id="${target.id}"`)) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr.status === 204) notice.hidden = true;
});
