// Client of the JSON API: sends requests and reads pages of rows.

const { root, access, csrfCookie } = document.body.dataset;
const prefix = root.replace(/\/$/, "");
const TIMEOUT = 15_000; // milliseconds
const PAGE_SIZE = 1000; // the largest that the API permits

/** Whether the reader may change anything, or only read. */
export const mayWrite = access === "write";

/** A path of the service with its URL_PREFIX, if it has one. */
const address = (path) => prefix + path;

/** A new Idempotency-Key. crypto.randomUUID() exists only with HTTPS and on localhost. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Read for each request, because a login in another window changes the token.
export function csrfToken() {
  const name = `${csrfCookie}=`;
  return document.cookie.split("; ").find((each) => each.startsWith(name))?.slice(name.length);
}

/** The parsed JSON, or null: a proxy in front of the service may answer with HTML or nothing. */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Send a request. Resolves to {status, data, headers}; `data` is the parsed JSON or null. If no
 * response arrives in time, `status` is 0.
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
    const data = parse(await response.text());
    // Every response of the service but 204 is JSON. Another one is from a proxy in front of it.
    const isOurs = response.status === 204 || response.status >= 500 || typeof (data ?? "") === "object";
    return { status: isOurs ? response.status : 502, data, headers: response.headers };
  } catch {
    return { status: 0, data: null, headers: new Headers() };
  }
}

/** Read a page of rows. Resolves to {status, rows, next}; `next` is the path of the next page, or null. */
export async function page(path) {
  const limited = path.includes("limit=") ? path : `${path}${path.includes("?") ? "&" : "?"}limit=${PAGE_SIZE}`;
  const answer = await request("GET", limited);
  if (answer.status !== 200) return { status: answer.status, rows: [], next: null };
  if (!Array.isArray(answer.data)) return { status: 502, rows: [], next: null }; // not from this service
  const link = answer.headers.get("Link")?.match(/<([^>]+)>; rel="next"/)?.[1];
  const next = link && new URL(link, new URL(address(limited), location.origin));
  return { status: 200, rows: answer.data, next: next ? next.pathname.slice(prefix.length) + next.search : null };
}
