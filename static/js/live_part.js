// For pages with parts that htmx updates: shows a notice when an update fails, and never shows the login page inside a
// part. The new version of a part has the same id.

const notice = document.getElementById("not-live");

for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(failure, () => { notice.hidden = false; });
}
document.addEventListener("htmx:beforeSwap", (event) => {
  const { isError, shouldSwap, serverResponse, target } = event.detail;
  notice.hidden = !isError;
  // The session has ended: the request was redirected to the login page. Reloading redirects the person too.
  if (!isError && shouldSwap && !serverResponse.includes(`id="${target.id}"`)) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr.status === 204) notice.hidden = true;
});
