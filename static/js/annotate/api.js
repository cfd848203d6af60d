// Talking to the API: JSON both ways, and every failure as one kind of error.

const PATIENCE = 15_000; // milliseconds until a request counts as failed

export class ApiError extends Error {
  // status: the HTTP status, or 0 when no answer came; message: a sentence.
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  get needsLogin() {
    return this.status === 401 || this.status === 403;
  }

  // Whether sending the same again later can succeed.
  get isPassing() {
    return [0, 408, 425, 429].includes(this.status) || this.status >= 500;
  }
}

// The cookie, not the page: a new login changes the token.
function csrfToken() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

function sentence(body, status) {
  if (typeof body?.detail === "string") return body.detail;
  if (Array.isArray(body?.detail)) return body.detail.map((problem) => problem.msg).join("; ");
  return `The server answered ${status}.`;
}

// Resolves with the answer's JSON. Throws ApiError for everything else. Without a body it asks, with one it sends.
export async function request(url, body = null, { keepalive = false, method = "POST" } = {}) {
  const options = { credentials: "same-origin", keepalive, headers: { "x-csrftoken": csrfToken(), accept: "application/json" } };
  if (body !== null) {
    Object.assign(options, { method, body: JSON.stringify(body) });
    options.headers["content-type"] = "application/json";
  }
  let response;
  let answer;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE) });
    const isJson = response.headers.get("content-type")?.includes("json");
    answer = isJson ? await response.json() : null;
  } catch {
    throw new ApiError(0, "The server cannot be reached.");
  }
  // A page in place of JSON: something between here and the server answered for it, which says nothing about
  // what was sent. (Django's own page about a missing token means: log in again.)
  if (answer === null && ![401, 403].includes(response.status)) throw new ApiError(0, "The server's answer is not readable.");
  if (!response.ok) throw new ApiError(response.status, sentence(answer, response.status));
  return answer;
}
