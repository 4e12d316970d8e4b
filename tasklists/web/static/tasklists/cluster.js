// The cluster view: sends requests at the chosen rate and draws what the answers show.

import { mayWrite, request } from "./api.js";
import { clock } from "./dates.js";
import { $, el } from "./dom.js";
import { disagree, explain, formatLists } from "./explain.js";
import { Run, SHOWN, median } from "./run.js";
import { formatNumber, t } from "./words.js";

const MAX_IN_FLIGHT = 4; // a browser opens six connections; the lists need some too
const WRITE_EVERY = 5;
const PACE = 500; // milliseconds between two updates of the details, for people to be able to read them
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const knowsPod = "instance" in document.body.dataset; // SERVED_BY is set

let run = null;
let timer = null;
let denied = false; // the service wants a login
let sent = 0;
let inFlight = 0;
let series = 0; // number of the run, to ignore answers that belong to an earlier one

// ── Requests ─────────────────────────────────────────────────────────────────

async function send() {
  if (inFlight === MAX_IN_FLIGHT) return;
  const mine = series;
  const method = mayWrite && ++sent % WRITE_EVERY === 0 ? "POST" : "GET";
  const before = performance.now();
  inFlight++;
  const answer = await request(method, "/instance");
  inFlight--;
  if (mine !== series) return;
  if (answer.status === 401 || answer.status === 403) {
    denied = true;
    halt();
    return;
  }
  run.record(answer, Math.round(performance.now() - before));
  draw();
}

function schedule() {
  clearInterval(timer);
  run.rate = Number($("rate").value);
  timer = setInterval(send, 1000 / run.rate);
}

function begin() {
  series++;
  run = new Run();
  denied = false;
  sent = 0;
  schedule();
  send();
  redraw();
  drawDetails();
}

/** Stop sending. Answers to requests in flight are still counted. */
function halt() {
  clearInterval(timer);
  timer = null;
  redraw();
  drawDetails();
}

/** Listen to the view's controls. */
export function start() {
  $("view-cluster").classList.toggle("off", !knowsPod);
  $("strip").append(...Array.from({ length: SHOWN }, () => el("span", { className: "cell" })));
  $("run").addEventListener("click", () => (timer ? halt() : begin()));
  $("rate").addEventListener("change", () => timer && schedule());
  addEventListener("resize", redraw);
  addEventListener("pagehide", () => {
    series++; // requests in flight are aborted, and must not count as failed
    halt();
  });
}

/** Called when the view is shown; returns its title. */
export function show() {
  redraw();
  drawDetails();
  return t("cluster");
}

// ── Drawing ──────────────────────────────────────────────────────────────────

let frame = null;
let pause = null; // the timer until the details may be drawn again
let described = 0; // answers that the details take into account

/** Draw the strip with the next frame, and the rest at most every PACE milliseconds. */
function draw() {
  frame ??= requestAnimationFrame(() => {
    frame = null;
    if ($("view-cluster").hidden) return;
    drawStrip();
    if (!pause || !described) drawDetails();
  });
}

/** Draw all but the strip, now: the totals agree with the table. */
function drawDetails() {
  if ($("view-cluster").hidden) return;
  clearTimeout(pause);
  pause = setTimeout(() => {
    pause = null;
    if (run?.total !== described) draw();
  }, PACE);
  described = run?.total;
  drawTotals();
  drawSentence();
  drawButton();
  drawLegend();
  drawPods();
  labelStrip();
}

function drawSentence() {
  let said = explain(run, timer !== null);
  if (denied) said = { text: t("sayLogin"), tone: "wait" };
  if (!knowsPod) said = { text: t("sayOff") };
  // Screen readers read the text out whenever it is written.
  if ($("say").dataset.text !== said.text) {
    $("say").dataset.text = said.text;
    const parts = said.text.split("`").map((part, i) => (i % 2 ? el("code", { textContent: part }) : part));
    $("say").replaceChildren(...parts);
  }
  $("say").dataset.tone = said.tone ?? "";
}

function drawButton() {
  $("run-text").textContent = t(timer ? "stop" : "start");
  $("run").classList.toggle("primary", !timer);
  $("run").querySelector("use").setAttribute("href", timer ? "#i-stop" : "#i-play");
}

function drawTotals() {
  const totals = [["n-ok", "answered"], ["n-503", "unavailable", "wait"], ["n-fail", "failed", "fail"]];
  for (const [id, count, tone] of totals) {
    $(id).textContent = formatNumber(run?.[count] ?? 0);
    if (tone) $(id).parentElement.classList.toggle(tone, run?.[count] > 0);
  }
  $("n-since").textContent = run?.startedAt ? clock(run.startedAt, { seconds: true }) : "";
  $("n-since").parentElement.hidden = !run?.startedAt;
}

let columns = 50;
let newest; // the version whose cells are filled, not outlined
let drawn = 0; // answers of the run that have been drawn
let filled = 0; // cells with an answer

/** Draw the strip from scratch, for another run or after a change of width. */
function redraw() {
  if ($("view-cluster").hidden) return;
  columns = getComputedStyle($("strip")).gridTemplateColumns.split(" ").length;
  newest = run?.rollout.newest;
  for (const cell of $("strip").children) fill(cell, null);
  // Rows fill like lines of text, and the oldest row is removed as a whole, so that cells keep their place.
  drawn = Math.max(0, Math.ceil((run?.total ?? 0) / columns) * columns - SHOWN);
  filled = 0;
  drawStrip();
}

function drawStrip() {
  if (!run) return;
  if (run.rollout.newest !== newest || run.total - drawn > run.answers.length) {
    redraw();
    return;
  }
  const cells = $("strip").children;
  for (const answer of run.answers.slice(run.answers.length - (run.total - drawn))) {
    if (filled === SHOWN) {
      const oldest = [...cells].slice(0, columns);
      for (const cell of oldest) fill(cell, null);
      $("strip").append(...oldest);
      filled -= columns;
    }
    cells[filled - 1]?.classList.remove("now");
    fill(cells[filled++], answer);
  }
  drawn = run.total;
  cells[filled - 1]?.classList.add("now");
}

/** Make a cell show an answer, or nothing. Returns the cell. */
function fill(cell, answer) {
  cell.className = "cell";
  cell.removeAttribute("data-pod");
  cell.textContent = "";
  if (!answer) return cell;
  const { outcome, pod, version } = answer;
  if (pod) cell.textContent = letter(pod);
  if (outcome === "failed") {
    cell.classList.add("bad");
    cell.textContent = "×";
  } else if (outcome === "unavailable") {
    cell.classList.add("out");
  } else {
    cell.dataset.pod = (pod.index % 6) + 1;
    cell.classList.toggle("old", version !== newest);
  }
  return cell;
}

const letter = (pod) => LETTERS[pod.index % LETTERS.length];

function labelStrip() {
  const answers = run?.answers ?? [];
  const counts = new Map();
  for (const { pod } of answers) if (pod) counts.set(pod, (counts.get(pod) ?? 0) + 1);
  const count = (outcome) => answers.filter((answer) => answer.outcome === outcome).length;
  const pods = [...counts].sort(([a], [b]) => a.index - b.index).map(([pod, n]) => `${letter(pod)} ${formatNumber(n)}`);
  const values = { n: answers.length, pods: pods.join(", ") || "–", out: count("unavailable"), bad: count("failed") };
  $("strip").ariaLabel = t("stripLabel", values);
}

let legend = "";

function drawLegend() {
  const samples = new Map(); // the last pod of each version, the oldest version first
  for (const { outcome, pod, version } of run?.answers ?? []) if (outcome === "answered") samples.set(version, pod);
  const entries = [];
  if (samples.size > 1) {
    for (const [version, pod] of samples) {
      const text = t(version === newest ? "keyNew" : "keyOld", { v: version });
      entries.push([{ outcome: "answered", pod, version }, text]);
    }
  }
  if (run?.unavailable) {
    const text = t(run.outage.cause === "database" ? "key503" : "unavailable");
    entries.push([{ outcome: "unavailable" }, text]);
  }
  if (run?.total) entries.push([{ outcome: "failed" }, t("keyFail")]);
  const now = JSON.stringify(entries.map(([{ pod }, text]) => [pod?.index, text]));
  if (legend === now) return;
  legend = now;
  const sample = (answer) => fill(el("span", { "aria-hidden": "true" }), answer);
  $("key").replaceChildren(...entries.map(([answer, text]) => el("li", {}, sample(answer), text)));
}

let rows = new Map(); // pod → its row, which is updated in place so that its text stays selected

function drawPods() {
  const pods = [...(run?.pods.values() ?? [])];
  const live = run?.livePods ?? [];
  const differ = disagree(live.filter((pod) => pod.database));
  $("pods").hidden = $("pods").previousElementSibling.hidden = !pods.length;
  const before = rows;
  rows = new Map(pods.map((pod) => [pod, before.get(pod) ?? podRow()]));
  for (const [pod, row] of before) if (!rows.has(pod)) row.remove();
  for (const [pod, row] of rows) {
    if (!row.isConnected) $("pod-rows").append(row);
    fillRow(row, pod, live.includes(pod), differ);
  }
}

function podRow() {
  const headings = [...document.querySelectorAll("#pods th")].map((th) => th.textContent);
  const name = el("div", { className: "name" }, el("span", { className: "cell" }), el("span", {}, el("span"), el("small")));
  const cells = headings.map((heading, i) => {
    const cell = el("td", { role: "cell", className: i > 2 ? "n" : i > 0 ? "mono" : "" });
    if (i) cell.dataset.th = heading;
    return cell;
  });
  cells[0].append(name);
  cells[3].append(el("span"));
  return el("tr", { role: "row" }, ...cells);
}

function fillRow(row, pod, live, differ) {
  const milliseconds = (n) => (pod.times.length ? t("ms", { n }) : "–");
  const [name, ...cells] = row.cells;
  const [known] = cells[2].children;
  row.classList.toggle("gone", !live);
  fill(name.querySelector(".cell"), { outcome: "answered", pod, version: pod.version });
  write(name.querySelector("span > span"), pod.name);
  const small = name.querySelector("small");
  small.hidden = live;
  write(small, live ? "" : t("gone", { time: clock(pod.last, { seconds: true }) }));
  known.className = differ && live && pod.database ? "differs" : "";
  const texts = [
    pod.version ?? "–",
    pod.database ?? "–",
    pod.database ? formatLists(pod.lists) : "–",
    formatNumber(pod.count),
    milliseconds(median(pod.times)),
    milliseconds(pod.slowest),
    pod.startedAt ? clock(pod.startedAt) : "–",
  ];
  for (const [i, text] of texts.entries()) write(i === 2 ? known : cells[i], text);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
