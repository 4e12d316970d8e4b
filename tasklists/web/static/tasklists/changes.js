// The queue of changes that the service has not acknowledged. They are sent one at a time, in order.

import { request } from "./api.js";

const RETRY_AFTER = 1000; // milliseconds, doubled with every attempt
const RETRY_AT_MOST = 10_000;
const TEMPORARY = [403, 408, 425, 429]; // 403: a login in another window changed the CSRF token

/**
 * `waiting` has the changes in the order in which they were made; the first one is being sent.
 * `outage` is null, or the reason why nothing can be sent or read: "offline", "unreachable" (no
 * response), "dbAway" (503), "signedOut" (401) or "error", which `detail` describes. `settled` counts
 * the changes that were answered: if it grows during a read, the rows that were read may be stale.
 */
export const queue = { waiting: [], outage: null, detail: "", settled: 0 };

let sending = false;
let timer = null;
let attempts = 0;
let listener = () => {};
let probe = () => {};

/** Call `changed` whenever the queue changes, and `read` to test the service when no change is waiting. */
export function start(changed, read) {
  listener = changed;
  probe = read;
  addEventListener("online", tryNow);
}

/**
 * Add a change to the queue. It is sent when all changes before it are settled.
 *
 * - `target`: the list or task that it changes.
 * - `request()`: returns [method, path, options] for api.js; called for each attempt.
 * - `settle(answer)`: handles the answer. Returns "again" to have the change sent once more, or
 *   "failed" if it needed another request and that one failed.
 *
 * A POST keeps its Idempotency-Key and every other change its ETag, so it is safe to send it again.
 */
export function enqueue(change) {
  queue.waiting.push(change);
  listener();
  if (!timer) send();
}

/** Remove the changes of these targets from the queue. */
export function drop(targets) {
  queue.waiting = queue.waiting.filter((change) => !targets.includes(change.target));
}

export const isWaiting = (target) => queue.waiting.some((change) => change.target === target);

/** Try again now instead of waiting for the timer. */
export function tryNow() {
  clearTimeout(timer);
  timer = null;
  if (queue.waiting.length) send();
  else if (queue.outage) probe();
}

/** The kind of outage that a status means, or null if the service has answered. */
function outageOf(status) {
  if (status === 0) return navigator.onLine ? "unreachable" : "offline";
  if (status === 503) return "dbAway";
  if (status === 401) return "signedOut";
  return status >= 500 || TEMPORARY.includes(status) ? "error" : null;
}

/** Whether an answer means an outage. If so, note it and schedule the next attempt. */
export function failed({ status, data }) {
  const outage = outageOf(status);
  if (!outage) return false;
  const differs = outage !== queue.outage;
  queue.outage = outage;
  queue.detail = data?.detail ?? `HTTP ${status}`;
  clearTimeout(timer);
  timer = setTimeout(tryNow, Math.min(RETRY_AFTER * 2 ** attempts, RETRY_AT_MOST));
  attempts += 1;
  if (differs) listener();
  return true;
}

/** Note the end of an outage, and send the changes that are waiting. */
export function reached() {
  clearTimeout(timer);
  timer = null;
  attempts = 0;
  if (!queue.outage) return;
  if (queue.waiting.length === 0) queue.outage = null; // until then the page says what waits
  listener();
  send();
}

async function send() {
  if (sending) return;
  sending = true;
  try {
    while (queue.waiting.length && (await sendFirst()));
  } finally {
    sending = false;
  }
}

/** Send the first change that waits; resolves to whether the next one may follow. */
async function sendFirst() {
  const change = queue.waiting[0];
  change.sent = true;
  const answer = await request(...change.request());
  if (failed(answer)) return false;
  const outcome = await change.settle(answer);
  if (outcome === "failed") return false;
  if (outcome !== "again") queue.waiting = queue.waiting.filter((each) => each !== change);
  queue.settled += 1;
  reached();
  listener();
  return true;
}
