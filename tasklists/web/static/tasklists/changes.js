// What was changed and is not acknowledged yet: sent in order, one at a time, until it is.

import { request } from "./api.js";

const RETRY_AFTER = 1000; // milliseconds, doubled with every attempt
const RETRY_AT_MOST = 10_000;
const BUSY = [403, 408, 425, 429]; // 403: of a CSRF check, which passes again with another token

/**
 * `waiting` are the changes in the order in which they were made, the first of them being sent.
 * `outage` is null, or why nothing can be sent or read: "offline", "unreachable" (no answer),
 * "dbAway" (503), "signedOut" (401) or "error", whose `detail` the service gave. `settled` counts
 * the changes that have got an answer.
 */
export const queue = { waiting: [], outage: null, detail: "", settled: 0 };

let sending = false;
let timer = null;
let attempts = 0;
let listener = () => {};
let probe = () => {};

/** Call `changed` whenever the queue changes, and `read` to try again when nothing has to be sent. */
export function start(changed, read) {
  listener = changed;
  probe = read;
  addEventListener("online", tryNow);
}

/**
 * Send a change when those before it are acknowledged.
 *
 * `target` is what it changes. `request()` returns [method, path, options] for api.js, when it is
 * sent. `settle(answer)` takes the answer. It may return "again" for the change to be sent
 * again, or "failed" if it had to ask for more and could not. A POST keeps its Idempotency-Key, and every other change its
 * ETag until it is settled, so that sending it again makes nothing twice.
 */
export function enqueue(change) {
  queue.waiting.push(change);
  listener();
  if (!timer) send();
}

/** Drop the changes of these targets, which have become pointless. */
export function drop(targets) {
  queue.waiting = queue.waiting.filter((change) => !targets.includes(change.target));
}

export const isWaiting = (target) => queue.waiting.some((change) => change.target === target);

/** Send now what waits for the end of an outage. */
export function tryNow() {
  clearTimeout(timer);
  timer = null;
  if (queue.waiting.length) send();
  else if (queue.outage) probe();
}

/** What keeps an answer from being one, or null. */
function outageOf(status) {
  if (status === 0) return navigator.onLine ? "unreachable" : "offline";
  if (status === 503) return "dbAway";
  if (status === 401) return "signedOut";
  return status >= 500 || BUSY.includes(status) ? "error" : null;
}

/** Whether an answer is none. If so, what waits is tried again after a while. */
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

/** Note that the service can be reached, and send what waits. */
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
  while (queue.waiting.length) {
    const change = queue.waiting[0];
    change.sent = true;
    const answer = await request(...change.request());
    if (failed(answer)) break;
    const outcome = await change.settle(answer);
    if (outcome === "failed") break;
    if (outcome !== "again") queue.waiting = queue.waiting.filter((each) => each !== change);
    queue.settled += 1;
    reached();
    listener();
  }
  sending = false;
}
