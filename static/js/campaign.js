// Says so when the live part of the page is not live, and lets nobody look at a login form inside it.

const notice = document.getElementById("not-live");

document.addEventListener("htmx:sendError", () => { notice.hidden = false; });
document.addEventListener("htmx:timeout", () => { notice.hidden = false; });
document.addEventListener("htmx:responseError", () => { notice.hidden = false; });
document.addEventListener("htmx:beforeSwap", (event) => {
  notice.hidden = !event.detail.isError;
  // The session has ended: the poll was led to the login page, and so is the person.
  if (!event.detail.isError && !event.detail.serverResponse.includes("campaign-status")) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr.status === 204) notice.hidden = true;
});
