// The view of the lists: the column of names, the heading of the current list, and the banner.

import { mayWrite } from "./api.js";
import * as changes from "./changes.js";
import { isWaiting, queue } from "./changes.js";
import * as conflict from "./conflict.js";
import { $, announce, copy, el, reconcile } from "./dom.js";
import * as store from "./store.js";
import { state } from "./store.js";
import * as tasks from "./tasks.js";
import * as toast from "./toast.js";
import { t } from "./words.js";

const KEPT_ALIVE = 50; // requests that a browser certainly goes on with after the page is closed

let renaming = false;
let scheduled = false;
let refreshing = null;
let again = false; // whether to read once more when that is done

const isShown = () => !$("view-lists").hidden;
const hashOf = (list) => `#lists/${list.id ?? list.key}`;

// ── Rendering ────────────────────────────────────────────────────────────────

/** Render once after all changes of the same task of the event loop. */
function changed() {
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(render);
}

function render() {
  scheduled = false;
  choose();
  const list = state.current;
  renderNames();
  renderHead(list);
  tasks.render();
  renderBanner();
  if (isShown()) document.title = `${list?.name ?? t("lists")} · Tasklists`;
}

/** Show the first list if the current one was deleted. */
function choose() {
  if (!state.loaded || (state.current && !state.current.deleted)) return;
  const [first] = store.visible(state.lists);
  state.current = first ?? null;
  if (!isShown()) return;
  if (first) history.replaceState(null, "", hashOf(first));
  else if (location.hash) history.replaceState(null, "", "#lists");
  readCurrent();
}

function renderNames() {
  const items = store.visible(state.lists).map((list) => {
    const left = store.remaining(list);
    const waits = Boolean(list.conflict) || (Boolean(queue.outage) && isWaiting(list));
    const signature = JSON.stringify([list.id, list.name, left, list === state.current, waits]);
    return { key: list.key, signature, make: () => nameRow(list, left, waits) };
  });
  reconcile($("names"), items);
  $("more-lists").hidden = !state.next;
}

function nameRow(list, left, waits) {
  const link = el("a", { href: hashOf(list) }, el("span", { textContent: list.name }));
  if (list === state.current) link.setAttribute("aria-current", "page");
  if (waits) {
    const title = t(list.conflict ? "changedElsewhere" : "notSaved");
    const text = el("span", { className: "sr", textContent: ` ${title}` });
    link.append(el("span", { className: "unsaved", title }, copy("t-wait"), text));
  }
  if (left !== null) {
    link.append(
      el("span", { className: "count", ariaHidden: "true", textContent: left || "" }),
      el("span", { className: "sr", textContent: ` ${t("left", { n: left })}` }),
    );
  }
  return el("li", {}, link);
}

function renderHead(list) {
  const first = !list && state.loaded;
  for (const id of ["side", "switch"]) $(id).hidden = !list;
  for (const id of ["rename", "list-more", "new-task"]) $(id).hidden = !list || !mayWrite;
  $("new-list").hidden = !mayWrite;
  $("sheet").classList.toggle("first", !list);
  const home = list ? $("side") : $("empty");
  if ($("new-list").parentElement !== home) home.append($("new-list"));
  $("head").hidden = !list && !first;
  $("list-resolve").hidden = !list?.conflict;
  if (!renaming) $("list-title").textContent = list?.name ?? t(mayWrite ? "firstTitle" : "readOnlyTitle");
}

function renderBanner() {
  const { outage, detail, waiting } = queue;
  const wasHidden = $("banner").hidden;
  if (!outage && !wasHidden && waiting.length === 0) announce(t("allSaved"));
  $("banner").hidden = !outage;
  if (!outage) return;
  const text = t(waiting.length ? outage : `${outage}Idle`, { n: waiting.length, detail });
  // Screen readers read the text out whenever it is written.
  if (wasHidden || $("banner-text").textContent !== text) $("banner-text").textContent = text;
  $("banner-login").hidden = outage !== "signedOut";
}

// ── The current list ─────────────────────────────────────────────────────────

/** Called when the view is shown. Opens the list with this id, or key if it is new; returns the current list's name. */
export function show(id) {
  if (id && state.loaded) open(id);
  else if (state.current) history.replaceState(null, "", hashOf(state.current));
  changed();
  return state.current?.name;
}

function find(id) {
  return store.visible(state.lists).find((list) => String(list.id) === id || list.key === id);
}

async function open(id) {
  const list = find(id) ?? (/^\d+$/.test(id) ? await store.readList(id) : null);
  if (list && list === state.current) return;
  if (list) {
    state.current = list;
    if (state.loaded) readCurrent();
  } else {
    toast.show(t("noSuchList"));
    if (state.current) history.replaceState(null, "", hashOf(state.current));
  }
  changed();
}

async function readCurrent() {
  if (state.current) await store.readTasks(state.current);
}

/** Read everything again. If that is going on, once more afterwards during an outage, when a part of it has failed. */
function refresh() {
  if (refreshing) again ||= Boolean(queue.outage);
  else refreshing = read().finally(done);
}

function done() {
  refreshing = null;
  if (again) refresh();
  again = false;
}

async function read() {
  if (!(await store.readLists())) return;
  if (!state.loaded) {
    const [view, id] = location.hash.slice(1).split("/");
    if (view === "lists" && id) await open(id);
    state.loaded = true;
    changed();
  }
  await readCurrent();
  await store.countOthers();
}

function rename() {
  const list = state.current;
  const field = el("input", { className: "rename", value: list.name, maxLength: 255, ariaLabel: t("listName") });
  const end = (isKept, focus) => {
    if (!renaming) return;
    renaming = false;
    const name = field.value.trim();
    if (isKept && name && name !== list.name) store.change(list, { name });
    render();
    if (focus) $("rename").focus();
  };
  renaming = true;
  field.addEventListener("keydown", (e) => {
    if (e.isComposing) return;
    if (e.key === "Enter") {
      e.preventDefault(); // the key would click the button that gets the focus
      end(true, true);
    } else if (e.key === "Escape") end(false, true);
  });
  field.addEventListener("blur", () => end(true, false));
  $("list-title").replaceChildren(field);
  field.focus();
  field.select();
}

function create(e) {
  e.preventDefault();
  const field = e.target.elements.name;
  const name = field.value.trim();
  if (!name) return field.focus();
  const list = store.createList(name);
  field.value = "";
  state.current = list;
  location.hash = hashOf(list);
  closeSide();
  render();
  $("new-task").elements.title.focus();
}

const actions = {
  rename,
  complete() {
    const active = store.visible(state.current.tasks ?? []).filter((task) => !task.completed);
    for (const task of active) store.change(task, { completed: true });
  },
  delete() {
    const list = state.current;
    tasks.removeWithUndo([list], t("deleted", { title: list.name }), () => {
      state.current = list;
      location.hash = hashOf(list);
    });
    render();
    ($("names").querySelector("[aria-current]") ?? $("new-list").elements.name).focus();
  },
};

const closeSide = () => $("side").matches(":popover-open") && $("side").hidePopover();

function refused(text, detail, thing) {
  toast.show(t("refused", { title: text, detail }), { sticky: true });
  const field = store.isList(thing) ? $("new-list").elements.name : $("new-task").elements.title;
  if (thing.id === null && !field.value) field.value = text; // for the reader to correct
}

/** Whether a dialog would get what the reader is typing. */
function isTyping() {
  const { activeElement: field } = document;
  return field.matches("input:not([type=checkbox], [type=radio])") && field.value !== "";
}

// ── Start ────────────────────────────────────────────────────────────────────

function listen() {
  $("more-lists").addEventListener("click", () => store.readMoreLists());
  $("names").addEventListener("click", closeSide);
  $("try").addEventListener("click", changes.tryNow);
  if (!mayWrite) return;
  $("new-list").addEventListener("submit", create);
  for (const id of ["new-task", "new-list"]) {
    $(id).addEventListener("keydown", (e) => {
      if (e.key === "Escape" && !e.isComposing) e.target.value = "";
    });
  }
  $("rename").addEventListener("click", rename);
  $("list-title").addEventListener("click", () => state.current && !renaming && rename());
  $("list-resolve").addEventListener("click", () => conflict.openConflict(state.current));
  $("list-menu").addEventListener("click", (e) => {
    const name = e.target.closest("button")?.dataset.do;
    if (!name) return;
    $("list-menu").hidePopover();
    actions[name]();
  });
}

export function start() {
  store.start({
    changed,
    refused,
    lost: (list) => toast.show(t("listGone", { name: list.name }), { sticky: true }),
    conflicted: (thing) => {
      changed();
      conflict.offerConflict(thing, state.editing || renaming || isTyping());
    },
    created: (list) => {
      if (list === state.current && isShown()) history.replaceState(null, "", hashOf(list));
    },
  });
  changes.start(changed, refresh);
  toast.start();
  conflict.start();
  tasks.start();
  listen();
  refresh();
  // Other people may have changed something while this window was in the background.
  document.addEventListener("visibilitychange", () => !document.hidden && refresh());
  addEventListener("focus", refresh);
  addEventListener("beforeunload", (e) => {
    // Queue deletions that could still be undone, so that they count as unsaved.
    if (queue.outage || store.heldCount() > KEPT_ALIVE) toast.close();
    if (store.isUnsaved()) e.preventDefault();
  });
  addEventListener("pagehide", () => {
    store.destroyOnClosing();
    toast.close();
  });
}
