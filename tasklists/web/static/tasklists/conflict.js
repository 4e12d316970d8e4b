// The dialog that shows two versions of a task or a list, and asks which one to keep.

import { clock, dueText } from "./dates.js";
import { $, el } from "./dom.js";
import { isList, keepMine, takeTheirs } from "./store.js";
import { t } from "./words.js";

let shown = null; // the task or list

const values = {
  name: (version) => version.name,
  title: (version) => version.title,
  due: (version) => (version.due ? dueText(version.due) : t("none")),
  completed: (version) => t(version.completed ? "yes" : "no"),
};
const labels = { name: "fieldName", title: "fieldTitle", due: "fieldDue", completed: "fieldDone" };

function item(name, text, differs) {
  const value = differs ? el("mark", { textContent: text }) : text;
  return el("div", {}, el("dt", { textContent: t(labels[name]) }), el("dd", {}, value));
}

/** The items of a version, marked where it differs from the other one; `deleted` is the text for a deletion. */
function describe(version, other, thing, deleted) {
  const names = isList(thing) ? ["name"] : ["title", "due", "completed"];
  if (!version) return [item(names[0], deleted, true)];
  return names.map((name) => item(name, values[name](version), !other || version[name] !== other[name]));
}

export function openConflict(thing) {
  const { mine, theirs, at } = thing.conflict;
  const list = isList(thing);
  shown = thing;
  const isGone = list && !theirs; // there are no two versions to choose from
  $("conflict-title").textContent = t(isGone ? "goneTitle" : list ? "conflictListTitle" : "conflictTitle");
  $("conflict-text").textContent = t(isGone ? "goneText" : "conflictText");
  $("keep").textContent = t(isGone ? "makeAgain" : "keepMine");
  $("take").textContent = t(isGone ? "leaveDeleted" : "takeTheirs");
  $("mine").replaceChildren(...describe(mine, theirs, thing, t(list ? "mineDeletedList" : "mineDeleted")));
  $("theirs").replaceChildren(...describe(theirs, mine, thing, t(list ? "theirsDeletedList" : "theirsDeleted")));
  $("mine-when").textContent = t("at", { time: clock(at) });
  $("theirs-when").textContent = theirs ? t("at", { time: clock(new Date(theirs.updated_at)) }) : "";
  if (!$("conflict").open) $("conflict").showModal();
}

/** Open the dialog, unless the reader is busy or it is open already. */
export function offerConflict(thing, isBusy) {
  if (!isBusy && !$("conflict").open) openConflict(thing);
}

function decide(resolve) {
  const thing = shown;
  $("conflict").close();
  resolve(thing);
}

export function start() {
  $("keep").addEventListener("click", () => decide(keepMine));
  $("take").addEventListener("click", () => decide(takeTheirs));
  $("later").addEventListener("click", () => $("conflict").close());
}
