// Explains in one sentence what the answers of a run show.

import { WITHOUT_INSTANCE } from "./run.js";
import { formatNumber, spelled, t } from "./words.js";

const RECENT = 120_000; // milliseconds for which a rollout or an outage is mentioned after its end
const ONGOING = 1500; // milliseconds after the last 503 during which an outage is considered ongoing
const ENOUGH_ANSWERS = 10; // to conclude that there is only one pod
const MAX_LISTS = 10_000; // the service counts no further

export const formatLists = (n) => (n >= MAX_LISTS ? `${formatNumber(n)}+` : formatNumber(n));

const different = (pods, member) => new Set(pods.map((pod) => pod[member])).size > 1;

/** Whether the pods have separate databases (SQLite) with different numbers of lists. */
export const disagree = (pods) => pods.some((pod) => pod.database === "sqlite") && different(pods, "lists");

/** {text, tone}: the first sentence that applies, the most important ones first; `tone` is "wait", "fail" or none. */
export function explain(run, running) {
  if (!run?.total) return { text: t(running ? "sayWaiting" : "sayIdle") };
  const { now, outage, failed } = run;
  const tone = failed ? "fail" : "";

  if (outage && now - outage.to < ONGOING) {
    const key = { database: "sayOut", busy: "sayBusy", proxy: "sayProxy" }[outage.cause];
    return { text: t(key, { n: failed }), tone: tone || "wait" };
  }

  const pods = run.livePods;
  if (pods.length === 1 && pods[0].version === WITHOUT_INSTANCE) {
    return { text: t("sayKept", { v: WITHOUT_INSTANCE, n: failed }), tone };
  }

  const { newest, old, over } = run.rollout;
  if (old && now - old.last < RECENT) {
    const key = (over ? "sayRolled" : "sayRollout") + (failed ? "" : "Well");
    return { text: t(key, { old: old.name, new: newest, n: failed }), tone };
  }

  if (failed) return { text: t("sayFailed", { n: failed }), tone };

  if (outage && now - outage.to < RECENT) {
    const s = Math.max(1, Math.round((outage.to - outage.from) / 1000));
    return { text: t(outage.cause === "database" ? "sayBack" : "sayAgain", { s, out: outage.count, n: failed }) };
  }

  if (run.pods.size === 1) return { text: t(run.total < ENOUGH_ANSWERS ? "saySoFar" : "sayOne") };
  if (pods.length === 1) return { text: t("saySingle", { n: run.pods.size }) };
  const N = spelled(pods.length);
  const known = pods.filter((pod) => pod.database); // those whose version has /instance
  if (!known.length) return { text: t("sayBefore", { N }) };
  if (different(known, "database")) return { text: t("sayMixed") };
  if (known[0].database !== "sqlite") {
    return { text: t("sayShared", { N, n: run.lists, lists: formatLists(run.lists) }) };
  }
  return { text: t(disagree(known) ? "sayApart" : "sayEqual", { N }) };
}
