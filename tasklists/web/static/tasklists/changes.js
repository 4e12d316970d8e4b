// What was changed and is not acknowledged yet: sent in order, one at a time, until it is.

import { request } from "./api.js";

const RETRY_AFTER = 1000; // milliseconds, doubled with every attempt
const RETRY_AT_MOST = 10_000;
const SIGNED_OUT = [401, 403];
const BUSY = [408, 425, 429];

/**
 * `waiting` are the changes in the order in which they were made, the first of them being sent.
 * `outage` is null, or why nothing can be sent or read: "offline", "unreachable" (no answer),
 * "database" (503), "signedOut" or "error". `settled` counts the changes that have got an answer.
 */
export const queue = { waiting: [], outage: null, settled: 0 };

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
 * sent. `settle(answer)` takes the answer. It may return false for the change to be sent again, or
 * an outage if it had to ask for more. A POST keeps its Idempotency-Key, and every other change its
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
export function outageOf({ status }) {
  if (status === 0) return navigator.onLine ? "unreachable" : "offline";
  if (status === 503) return "database";
  if (SIGNED_OUT.includes(status)) return "signedOut";
  return status >= 500 || BUSY.includes(status) ? "error" : null;
}

/** Note that something could be read, or why not; then it will be tried again. */
export function note(outage) {
  const before = queue.outage;
  queue.outage = outage;
  clearTimeout(timer);
  timer = null;
  if (outage) {
    timer = setTimeout(tryNow, Math.min(RETRY_AFTER * 2 ** attempts, RETRY_AT_MOST));
    attempts += 1;
  } else {
    attempts = 0;
  }
  if (before === outage) return;
  listener();
  if (!outage) send();
}

async function send() {
  if (sending) return;
  sending = true;
  while (queue.waiting.length) {
    const change = queue.waiting[0];
    change.sent = true;
    const answer = await request(...change.request());
    const outcome = outageOf(answer) ?? (await change.settle(answer));
    if (typeof outcome === "string") {
      note(outcome);
      break;
    }
    if (outcome !== false) queue.waiting = queue.waiting.filter((each) => each !== change);
    queue.settled += 1;
    note(null);
    listener();
  }
  sending = false;
}
