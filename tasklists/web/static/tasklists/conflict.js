// The dialog that shows two versions of a task or a list, and asks which one to keep.

import { clock, dueText } from "./dates.js";
import { $, el } from "./dom.js";
import { keepMine, takeTheirs } from "./store.js";
import { t } from "./words.js";

let chosen = null; // the task or list that is shown

const isList = (thing) => "name" in thing;

const values = {
  name: (version) => version.name,
  title: (version) => version.title,
  due: (version) => (version.due ? dueText(version.due) : t("none")),
  completed: (version) => t(version.completed ? "yes" : "no"),
};
const labels = { name: "fieldName", title: "fieldTitle", due: "fieldDue", completed: "fieldDone" };

/** A version as a description list; what differs from the other one is marked. */
function describe(version, other, thing, gone) {
  const item = (label, text, differs) => el("div", {}, el("dt", { textContent: label }), el("dd", {}, differs ? el("mark", { textContent: text }) : text));
  const first = isList(thing) ? "name" : "title";
  if (!version) return [item(t(labels[first]), gone, true)];
  const names = isList(thing) ? ["name"] : ["title", "due", "completed"];
  return names.map((name) => item(t(labels[name]), values[name](version), !other || version[name] !== other[name]));
}

export function openConflict(thing) {
  const { mine, theirs, at } = thing.conflict;
  const list = isList(thing);
  chosen = thing;
  $("conflict-title").textContent = t(list ? "conflictListTitle" : "conflictTitle");
  $("mine").replaceChildren(...describe(mine, theirs, thing, t(list ? "mineDeletedList" : "mineDeleted")));
  $("theirs").replaceChildren(...describe(theirs, mine, thing, t(list ? "theirsDeletedList" : "theirsDeleted")));
  $("mine-when").textContent = t("at", { time: clock(at) });
  $("theirs-when").textContent = theirs ? t("at", { time: clock(new Date(theirs.updated_at)) }) : "";
  if (!$("conflict").open) $("conflict").showModal();
}

/** Ask at once, unless the reader is in the middle of something. */
export function offerConflict(thing, isBusy) {
  if (!isBusy && !$("conflict").open) openConflict(thing);
}

function decide(decision) {
  const thing = chosen;
  $("conflict").close();
  decision(thing);
}

export function start() {
  $("keep").addEventListener("click", () => decide(keepMine));
  $("take").addEventListener("click", () => decide(takeTheirs));
  $("later").addEventListener("click", () => $("conflict").close());
}
