// Requests to the API: JSON in both directions, and one class for all errors.

import { gettext } from "../texts.js";

const TIMEOUT = 15_000; // milliseconds until a request counts as failed

export class ApiError extends Error {
  // status: the HTTP status, or 0 without an answer; message: a sentence for the person.
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  get needsLogin() {
    return this.status === 401 || this.status === 403;
  }

  // Whether the same request can succeed later.
  get isTemporary() {
    return [0, 408, 425, 429].includes(this.status) || this.status >= 500;
  }
}

// Read from the cookie, not from the page, because a new login changes the token. Its name differs between instances on
// one host.
function csrfToken() {
  return document.cookie.match(`(?:^|; )${document.body.dataset.csrfCookie}=([^;]+)`)?.[1] ?? "";
}

function errorMessage(body, status) {
  if (typeof body?.detail === "string") return body.detail;
  if (Array.isArray(body?.detail)) return body.detail.map((problem) => problem.msg).join("; ");
  return gettext("The server answered with status %(status)s.", { status });
}

// Resolves with the JSON of the answer. Throws ApiError for everything else. Sends a GET without a body.
export async function request(url, body = null, { keepalive = false, method = "POST" } = {}) {
  const options = { credentials: "same-origin", keepalive, headers: { "x-csrftoken": csrfToken(), accept: "application/json" } };
  if (body !== null) {
    Object.assign(options, { method, body: JSON.stringify(body) });
    options.headers["content-type"] = "application/json";
  }
  let response;
  let answer;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(TIMEOUT) });
    const isJson = response.headers.get("content-type")?.includes("json");
    answer = isJson ? await response.json() : null;
  } catch {
    throw new ApiError(0, gettext("The server cannot be reached."));
  }
  // An answer that is not JSON comes from a proxy. With 4xx it refuses the request, for example because it is too long.
  // Otherwise it is unknown whether the server got the request.
  const isRefusal = response.status >= 400 && response.status < 500;
  if (answer === null && !isRefusal) throw new ApiError(0, gettext("The server's answer cannot be read."));
  if (!response.ok) throw new ApiError(response.status, errorMessage(answer, response.status));
  return answer;
}
