// One sentence about what a run has shown.

import { BEFORE } from "./run.js";
import { formatNumber, spelled, t } from "./words.js";

const NEWS = 120_000; // milliseconds for which a rollout or an outage that is over is still spoken of
const OUT_NOW = 1500; // milliseconds since the last 503 for which an outage still goes on
const FEW_ANSWERS = 10; // too few to say that only one pod answers
const MOST_LISTS = 10_000; // the service counts no further

export const formatLists = (n) => (n >= MOST_LISTS ? `${formatNumber(n)}+` : formatNumber(n));

const different = (pods, member) => new Set(pods.map((pod) => pod[member])).size > 1;

/** Whether the pods have databases of their own that hold different numbers of lists. */
export const disagree = (pods) => pods.some((pod) => pod.database === "sqlite") && different(pods, "lists");

/** The sentence, and its tone: "wait", "fail" or none. The first that holds matters most. */
export function explain(run, running) {
  if (!run?.total) return { text: t(running ? "sayWaiting" : "sayIdle") };
  const { now, outage, failed } = run;
  const tone = failed ? "fail" : "";

  if (outage && now - outage.to < OUT_NOW) {
    const key = { database: "sayOut", busy: "sayBusy", front: "sayFront" }[outage.cause];
    return { text: t(key, { n: failed }), tone: tone || "wait" };
  }

  const pods = run.livePods;
  if (pods.length === 1 && pods[0].version === BEFORE) return { text: t("sayKept", { v: BEFORE, n: failed }), tone };

  const { newest, old, over } = run.rollout;
  if (old && now - old.last < NEWS) {
    const key = (over ? "sayRolled" : "sayRollout") + (failed ? "" : "Well");
    return { text: t(key, { old: old.name, new: newest, n: failed }), tone };
  }

  if (failed) return { text: t("sayFailed", { n: failed }), tone };

  if (outage && now - outage.to < NEWS) {
    const s = Math.max(1, Math.round((outage.to - outage.from) / 1000));
    return { text: t(outage.cause === "database" ? "sayBack" : "sayAgain", { s, out: outage.count, n: failed }) };
  }

  if (run.pods.size === 1) return { text: t(run.total < FEW_ANSWERS ? "saySoFar" : "sayOne") };
  if (pods.length === 1) return { text: t("saySingle", { n: run.pods.size }) };
  const N = spelled(pods.length);
  const open = pods.filter((pod) => pod.database);
  if (!open.length) return { text: t("sayBefore", { N }) };
  if (different(open, "database")) return { text: t("sayMixed") };
  if (open[0].database !== "sqlite") return { text: t("sayShared", { N, n: run.lists, lists: formatLists(run.lists) }) };
  return { text: t(disagree(open) ? "sayApart" : "sayEqual", { N }) };
}
