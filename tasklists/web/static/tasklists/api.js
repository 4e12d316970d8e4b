// The JSON API, as curl uses it: requests, their outcome, and pages.

const { root, access, csrfCookie } = document.body.dataset;
const prefix = root.replace(/\/$/, "");
const TIMEOUT = 15_000; // milliseconds
const PAGE = 1000; // the API's largest page

/** Whether the reader may change anything, or only read. */
export const mayWrite = access === "write";

/** The address of a path of the service, which may have a prefix. */
export const address = (path) => prefix + path;

/** A new Idempotency-Key. crypto.randomUUID() exists only with HTTPS and on localhost. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Read for each request, because the token changes at a login in another window.
function csrfToken() {
  const name = `${csrfCookie}=`;
  return document.cookie.split("; ").find((each) => each.startsWith(name))?.slice(name.length);
}

/**
 * Send a request. Resolves to {status, data, headers}; `data` is the JSON or null. Without an
 * answer, `status` is 0.
 *
 * @param {{body?: object, etag?: string, key?: string, keepalive?: boolean}} options `etag` is
 *     the version that the change is based on, `key` the Idempotency-Key.
 */
export async function request(method, path, { body, etag, key, keepalive = false } = {}) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (etag) headers["If-Match"] = `"${etag}"`;
  if (key) headers["Idempotency-Key"] = key;
  const token = csrfToken();
  if (token && method !== "GET") headers["X-CSRFToken"] = token;
  try {
    const response = await fetch(address(path), {
      method,
      headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
      keepalive,
      signal: keepalive ? undefined : AbortSignal.timeout(TIMEOUT),
    });
    // Without JSON it is no answer of the service's, but a proxy's.
    const text = await response.text();
    let data = null;
    try {
      data = text ? JSON.parse(text) : null;
    } catch {
      data = null;
    }
    return { status: response.status, data, headers: response.headers };
  } catch {
    return { status: 0, data: null, headers: new Headers() };
  }
}

/** Read a page. Resolves to {status, rows, next}; `next` is the path of the page after it, or null. */
export async function page(path) {
  const limited = path.includes("limit=") ? path : `${path}${path.includes("?") ? "&" : "?"}limit=${PAGE}`;
  const answer = await request("GET", limited);
  if (answer.status !== 200) return { status: answer.status, rows: [], next: null };
  if (!Array.isArray(answer.data)) return { status: 502, rows: [], next: null }; // not from this service
  const link = answer.headers.get("Link")?.match(/<([^>]+)>; rel="next"/)?.[1];
  const next = link && new URL(link, new URL(address(limited), location.origin));
  return { status: 200, rows: answer.data, next: next ? next.pathname.slice(prefix.length) + next.search : null };
}
