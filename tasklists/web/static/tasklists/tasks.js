// The tasks of a list: their rows, menus and keys.

import { mayWrite } from "./api.js";
import { isWaiting, queue } from "./changes.js";
import { openConflict } from "./conflict.js";
import { day, dueText, shortDay } from "./dates.js";
import { $, announce, copy, el, reconcile } from "./dom.js";
import { startDragging } from "./drag.js";
import * as store from "./store.js";
import { state } from "./store.js";
import * as toast from "./toast.js";
import { t } from "./words.js";

let filter = "all";
let unedited = ""; // the title that the field had at first, without line breaks
let chosen = null; // the task whose menu or date picker is open

const shows = (task) => filter === "all" || task.completed === (filter === "completed");
const shownTasks = () => store.visible(state.current?.tasks ?? []).filter(shows);
const rowOf = (task) => $("tasks").querySelector(`[data-key="${task.key}"]`);
const taskOf = (target) => {
  const key = target.closest?.(".task")?.dataset.key;
  return key && state.current?.tasks.find((task) => task.key === key);
};

// ── Rows ─────────────────────────────────────────────────────────────────────

function dueButton(task) {
  const text = task.due && dueText(task.due);
  if (!mayWrite) return text ? el("span", { className: `chip ${dueClass(task)}`, textContent: text }) : "";
  if (!text && task.completed) return "";
  const label = text ? t("changeDue", { title: task.title, date: text }) : t("addDue", { title: task.title });
  const chip = el("button", { type: "button", className: `chip ${dueClass(task)}`, ariaLabel: label, "data-do": "due" });
  chip.append(text || copy("t-date"));
  return chip;
}

function dueClass(task) {
  if (!task.due) return "add";
  if (!task.completed && task.due < day()) return "late";
  return task.due <= day(1) ? "soon" : "";
}

function mark(task, waits) {
  if (task.conflict) {
    const label = t("resolve", { title: task.title });
    const properties = { type: "button", className: "unsaved", ariaLabel: label, "data-do": "resolve" };
    return el("button", properties, copy("t-wait"), t("changedElsewhere"));
  }
  return waits ? el("span", { className: "unsaved" }, copy("t-wait"), t("notSaved")) : "";
}

function row(task, waits) {
  const li = copy("t-task");
  li.dataset.key = task.key;
  li.classList.toggle("done", task.completed);
  const title = li.querySelector(".title");
  const box = li.querySelector("[type=checkbox]");
  title.id = `title-${task.key}`;
  box.checked = task.completed;
  box.disabled = !mayWrite;
  box.setAttribute("aria-keyshortcuts", "F2 Enter Delete Alt+ArrowUp Alt+ArrowDown");
  if (task === state.editing) {
    box.ariaLabel = task.title;
    title.append(el("input", { className: "input edit", value: task.title, maxLength: 255, ariaLabel: t("taskTitle") }));
  } else {
    box.setAttribute("aria-labelledby", title.id);
    title.textContent = task.title;
  }
  li.querySelector(".meta").append(dueButton(task), mark(task, waits));
  for (const [name, label] of [["grip", "reorder"], ["more", "actions"], ["del", "deleteTask"]]) {
    const button = li.querySelector(`.${name}`);
    if (mayWrite) button.ariaLabel = t(label, { title: task.title });
    else button.remove();
  }
  return li;
}

/** What a row depends on. It is constant while the title is edited, so that the row is not replaced. */
function signature(task, waits) {
  if (task === state.editing) return "editing";
  return JSON.stringify([task.title, task.completed, task.due, Boolean(task.conflict), waits, day()]);
}

export function render() {
  const list = state.current;
  const tasks = store.visible(list?.tasks ?? []);
  const shown = tasks.filter(shows);
  const loading = Boolean(list) && !list.read && !tasks.length;
  $("sheet").ariaBusy = loading;
  const left = tasks.filter((task) => !task.completed).length;
  $("left").textContent = list?.read ? t("itemsLeft", { n: left }) : "";
  $("clear").hidden = !mayWrite || left === tasks.length;
  $("tools").hidden = !tasks.length;
  $("tasks").hidden = !shown.length && !loading;
  const at = [...$("tasks").children].findIndex((li) => li.contains(document.activeElement));
  if (loading) renderSkeleton();
  else renderRows(shown);
  renderEmpty(list, tasks, shown.length || loading);
  if (at >= 0 && !$("tasks").contains(document.activeElement)) focusNear(at);
}

function renderSkeleton() {
  if (!$("tasks").querySelector(".bone")) announce(t("loading"));
  const make = () => el("li", { className: "bone", ariaHidden: "true" });
  reconcile($("tasks"), [1, 2, 3, 4, 5].map((n) => ({ key: `bone-${n}`, signature: "", make })));
}

function renderRows(tasks) {
  const items = tasks.map((task) => {
    const waits = Boolean(queue.outage) && isWaiting(task);
    return { key: task.key, signature: signature(task, waits), make: () => row(task, waits) };
  });
  reconcile($("tasks"), items);
}

/** Focus the row that is now at this index, after the row with the focus was removed. */
function focusNear(at) {
  const rows = $("tasks").children;
  const box = rows[Math.min(at, rows.length - 1)]?.querySelector("[type=checkbox]");
  (box ?? $("new-task").elements.title).focus();
}

function renderEmpty(list, tasks, isFull) {
  const first = !list && state.loaded;
  $("empty").hidden = Boolean(isFull) || !(list || first);
  if ($("empty").hidden) return;
  const kind = first ? "first" : !tasks.length ? "empty" : filter === "active" ? "noActive" : "noDone";
  $("empty-title").hidden = first; // the heading above says it
  $("empty-title").textContent = t(`${kind}Title`);
  $("empty-text").textContent = t(!mayWrite && (first || kind === "empty") ? "readOnlyText" : `${kind}Text`);
  $("show-all").hidden = !tasks.length;
}

// ── Actions ──────────────────────────────────────────────────────────────────

/** Hide lists or tasks and offer Undo in a toast. They are deleted when the toast closes. */
export function removeWithUndo(things, text, undone = () => {}) {
  toast.close();
  store.hold(things);
  const undo = () => {
    store.restoreHeld();
    undone();
  };
  toast.show(text, { undo, closed: store.destroyHeld });
}

const remove = (task) => removeWithUndo([task], t("deleted", { title: task.title }));

function edit(task) {
  state.editing = task;
  render();
  const field = rowOf(task).querySelector(".edit");
  unedited = field.value.trim();
  field.focus();
  field.select();
}

/** End editing; without a value, leave the title as it was. */
function finishEditing(task, value, { focus }) {
  if (state.editing !== task) return;
  state.editing = null;
  if (value === unedited) value = undefined;
  if (value === "") remove(task);
  else if (value !== undefined && value !== task.title) store.change(task, { title: value });
  render();
  if (focus) rowOf(task)?.querySelector("[type=checkbox]").focus();
}

function complete(task, completed) {
  store.change(task, { completed });
  render();
}

/** Move a task up (-1) or down (1) by one of the tasks that are shown. */
function step(task, by) {
  const shown = shownTasks();
  const to = shown.indexOf(task) + by;
  if (!shown[to]) return;
  const rest = shown.filter((each) => each !== task);
  place(task, rest[to]);
}

/** Put a task before another one that is shown, or after all of them. */
function place(task, other) {
  const all = state.current.tasks;
  const last = shownTasks().filter((each) => each !== task).at(-1);
  store.moveBefore(task, other ?? all[all.indexOf(last) + 1]);
  render();
  const shown = shownTasks();
  announce(t("position", { title: task.title, n: shown.indexOf(task) + 1, total: shown.length }));
}

function openMenu(id, task, source) {
  chosen = task;
  const lists = store.visible(state.lists);
  $("move-to").replaceChildren(...lists.map((list) => new Option(list.name, list.key, false, list === task.list)));
  $("due-date").value = task.due ?? "";
  for (const button of $("due-menu").querySelectorAll("[data-days]")) {
    const hint = button.querySelector(".hint");
    if (hint) hint.textContent = shortDay(day(Number(button.dataset.days)));
    else button.hidden = !task.due;
  }
  $(id).showPopover({ source });
  $(id).querySelector("button").focus();
}

const actions = {
  edit,
  delete: remove,
  up: (task) => step(task, -1),
  down: (task) => step(task, 1),
  menu: (task, source) => openMenu("task-menu", task, source),
  due: (task, source) => openMenu("due-menu", task, source),
  resolve: (task) => openConflict(task),
};

function setDue(due) {
  store.change(chosen, { due });
  render();
}

function closeDueMenu() {
  $("due-menu").hidePopover();
  const li = rowOf(chosen);
  (li?.querySelector("[data-do=due]") ?? li?.querySelector("[type=checkbox]"))?.focus();
}

/** A date that is typed fires "change" with every digit, so only picking one closes the menu. */
function listenToDate(field) {
  let typed = false;
  field.addEventListener("focus", () => (typed = false));
  field.addEventListener("keydown", (e) => {
    typed = true;
    if (e.key !== "Enter") return;
    e.preventDefault(); // the key would click the button that gets the focus
    closeDueMenu();
  });
  field.addEventListener("change", () => {
    if (field.value < "1000") return; // the year is incomplete
    setDue(field.value);
    if (!typed) closeDueMenu();
  });
}

function moveChosen(key) {
  const list = state.lists.find((each) => each.key === key);
  const task = chosen;
  $("task-menu").hidePopover();
  if (list === task.list) return;
  const undo = store.moveTo(task, list);
  toast.show(t("moved", { title: task.title, list: list.name }), { undo });
  render();
}

// ── Controls ─────────────────────────────────────────────────────────────────

function keydown(e) {
  const task = taskOf(e.target);
  if (!task) return;
  if (e.target.matches(".edit")) {
    if (e.isComposing) return; // Enter confirms the text of an input method
    if (e.key === "Enter") {
      e.preventDefault(); // the key would also reach the control that gets the focus
      finishEditing(task, e.target.value.trim(), { focus: true });
    } else if (e.key === "Escape") finishEditing(task, undefined, { focus: true });
    return;
  }
  const by = { ArrowUp: -1, ArrowDown: 1 }[e.key];
  const isBox = e.target.type === "checkbox";
  if (by && e.altKey) step(task, by);
  else if (by) {
    const li = rowOf(task);
    (by < 0 ? li.previousElementSibling : li.nextElementSibling)?.querySelector("[type=checkbox]").focus();
  } else if (e.key === "F2" || (e.key === "Enter" && isBox)) edit(task);
  else if (e.key === "Delete") remove(task);
  else return;
  e.preventDefault();
}

function setFilter(value) {
  filter = value;
  document.querySelector(`[name=filter][value=${value}]`).checked = true;
  render();
}

function create(e) {
  e.preventDefault();
  const field = e.target.elements.title;
  const title = field.value.trim();
  if (!title || !state.current) return;
  store.createTask(state.current, title);
  field.value = "";
  if (filter === "completed") setFilter("all"); // to show the new task
  else render();
}

export function start() {
  const tasks = $("tasks");
  document.querySelector(".filters").addEventListener("change", (e) => setFilter(e.target.value));
  $("show-all").addEventListener("click", () => setFilter("all"));
  if (!mayWrite) return;
  tasks.addEventListener("click", (e) => {
    const button = e.target.closest("[data-do]");
    const task = taskOf(e.target);
    if (button && task) actions[button.dataset.do](task, button);
  });
  tasks.addEventListener("change", (e) => {
    if (e.target.type === "checkbox") complete(taskOf(e.target), e.target.checked);
  });
  tasks.addEventListener("dblclick", (e) => {
    if (e.target.matches(".title")) edit(taskOf(e.target));
  });
  tasks.addEventListener("focusout", (e) => {
    const task = e.target.matches(".edit") && state.editing; // its list may have gone from the page
    const title = e.target.value?.trim();
    // Afterwards, because the row is made anew, and the focus may go to another control of it.
    if (task) setTimeout(() => finishEditing(task, title, { focus: false }));
  });
  tasks.addEventListener("keydown", keydown);
  startDragging(tasks, (li, next) => {
    const task = taskOf(li);
    if (task) place(task, next ? taskOf(next) : null);
    if (task) rowOf(task)?.querySelector("[type=checkbox]").focus();
  }, render);
  $("new-task").addEventListener("submit", create);
  $("clear").addEventListener("click", () => {
    const done = store.visible(state.current.tasks).filter((task) => task.completed);
    removeWithUndo(done, t("cleared", { n: done.length }));
    render();
    $("new-task").elements.title.focus();
  });
  $("task-menu").addEventListener("click", (e) => {
    const name = e.target.closest("button")?.dataset.do;
    if (!name) return;
    $("task-menu").hidePopover();
    actions[name](chosen, rowOf(chosen)?.querySelector(".more"));
    render();
  });
  $("move-to").addEventListener("change", (e) => moveChosen(e.target.value));
  $("due-menu").addEventListener("click", (e) => {
    const days = e.target.closest("[data-days]")?.dataset.days;
    if (days === undefined) return;
    setDue(days === "" ? null : day(Number(days)));
    closeDueMenu();
  });
  listenToDate($("due-date"));
}
