// What the answers of a run show: totals, the last answers, the pods and their versions.
// Everything is bounded, because a run may last for hours.

export const SHOWN = 200; // answers that are kept
const MAX_TIMES = 200; // response times that are kept for each pod
const MAX_PODS = 50;
const MAX_VERSIONS = 10;
const OUTAGE_GAP = 30_000; // milliseconds without a 503 after which the next one starts a new outage

// The version of a pod without /instance, which answers 404 and keeps the connection open.
export const WITHOUT_INSTANCE = "?";
// After this many answers nearly every pod has answered once, so a pod that appears later is new.
const FIRST_ANSWERS = 30;

export class Run {
  answers = []; // {outcome: "answered" | "unavailable" | "failed", pod, version, at}
  pods = new Map(); // by name, in the order of their first answers
  versions = new Map(); // when the last pod of each version started, and when one last answered
  total = 0;
  answered = 0;
  unavailable = 0;
  failed = 0;
  startedAt = null;
  now = null; // the time of the last answer
  lists = null; // how many lists there are, by the last answer that told it
  outage = null; // the last one: {from, to, count, cause: "database" | "busy" | "proxy"}
  podsSeen = 0;
  rate = 1; // requests per second

  /** Record what request() resolved to, after `ms` milliseconds. */
  record({ status, data, headers }, ms, at = Date.now()) {
    this.startedAt ??= at;
    this.now = at;
    this.total++;
    const answer = { outcome: "failed", pod: null, version: undefined, at };
    const servedBy = headers.get("Served-By");
    if (status >= 200 && status < 300 && typeof data?.name === "string") {
      answer.outcome = "answered";
      answer.pod = this.#pod(data.name);
      const { version, database, lists } = data;
      Object.assign(answer.pod, { version, database, lists, startedAt: Date.parse(data.started_at) });
      this.lists = lists;
      this.#sawVersion(version, answer.pod.startedAt);
    } else if (status === 404 && servedBy) {
      answer.outcome = "answered";
      answer.pod = this.#pod(servedBy);
      answer.pod.version = WITHOUT_INSTANCE;
      this.#sawVersion(WITHOUT_INSTANCE, this.#guessStart());
    } else if (status === 503) {
      answer.outcome = "unavailable";
      answer.pod = servedBy ? this.#pod(servedBy) : null;
      this.#sawOutage(servedBy, data?.detail ?? "");
    }
    this[answer.outcome]++;
    const { pod } = answer;
    if (pod) {
      answer.version = pod.version;
      pod.count++;
      pod.last = at;
      if (answer.outcome === "answered") {
        pod.times.push(ms);
        if (pod.times.length > MAX_TIMES) pod.times.shift();
        pod.slowest = Math.max(pod.slowest ?? 0, ms);
      }
    }
    this.answers.push(answer);
    if (this.answers.length > SHOWN) this.answers.shift();
  }

  /** Milliseconds after which a silent pod counts as gone; more at a low rate, at which it answers rarely. */
  get patience() {
    return Math.max(10_000, 30_000 / this.rate);
  }

  isLive({ last }) {
    return this.now - last < this.patience;
  }

  get livePods() {
    return [...this.pods.values()].filter((pod) => this.isLive(pod));
  }

  /**
   * {newest, old, over}: the version that replaces the others, the last one that it replaces (if any), and
   * whether that is completed. The newest version is the one whose pod started last; during a rollback
   * it has the lower number.
   */
  get rollout() {
    const byStart = [...this.versions].map(([name, times]) => ({ name, ...times })).sort((a, b) => b.started - a.started);
    const live = byStart.filter((version) => this.isLive(version));
    const newest = live.find(({ started }) => started > -Infinity) ?? byStart[0];
    const others = byStart.filter((version) => version !== newest).sort((a, b) => b.last - a.last);
    const old = live.find((version) => version !== newest) ?? others[0];
    return { newest: newest?.name, old, over: live.length === 1 && live[0] === newest };
  }

  #pod(name) {
    let pod = this.pods.get(name);
    if (!pod) {
      if (this.pods.size === MAX_PODS) {
        const silent = [...this.pods.values()].reduce((a, b) => (b.last < a.last ? b : a));
        this.pods.delete(silent.name);
      }
      pod = { name, index: this.podsSeen++, count: 0, last: this.now, times: [], slowest: null };
      this.pods.set(name, pod);
    }
    return pod;
  }

  #sawVersion(name, started) {
    const known = this.versions.get(name);
    this.versions.set(name, { started: Math.max(started, known?.started ?? -Infinity), last: this.now });
    if (this.versions.size > MAX_VERSIONS) {
      const [oldest] = [...this.versions].reduce((a, b) => (b[1].last < a[1].last ? b : a));
      this.versions.delete(oldest);
    }
  }

  /** Guess when a pod without /instance started: now, if no pod of such a version has answered recently. */
  #guessStart() {
    const known = this.versions.get(WITHOUT_INSTANCE);
    if (known && this.isLive(known)) return known.started;
    return this.total > FIRST_ANSWERS ? this.now : -Infinity;
  }

  #sawOutage(servedBy, detail) {
    if (!this.outage || this.now - this.outage.to > OUTAGE_GAP) this.outage = { from: this.now, count: 0 };
    this.outage.to = this.now;
    this.outage.count++;
    // Without Served-By the answer is a proxy's. The service also sends 503 when it is overloaded.
    this.outage.cause = !servedBy ? "proxy" : detail && !detail.includes("database") ? "busy" : "database";
  }
}

export function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
