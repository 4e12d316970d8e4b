// The lists and their tasks as the page shows them: what the service has, and what was changed here.
//
// A list or task has its members as they are shown, and in `saved` the row that they are based on,
// which is null until the service has it. `key` names it in the page, `deleted` hides it until its
// deletion is acknowledged, and `conflict` has the two versions between which the reader chooses.

import { drop, enqueue, failed, isWaiting, queue, reached } from "./changes.js";
import { newKey, page, request } from "./api.js";
import { positions } from "./order.js";

const COUNTED = 100; // lists whose open tasks are counted before they are looked at
const ATTEMPTS = 3; // to read while changes are being acknowledged

export const state = {
  lists: [],
  current: null, // the list that is shown
  loaded: false, // whether it is known which list is shown
  next: null, // the path of the next page of lists
  editing: null, // the task whose title is being edited
};

let keys = 0;
let changed = () => {};
let refused = () => {};
let conflicted = () => {};
let made = () => {};

/** Listeners: after a change, when the service refused one, found a conflict, or has a new list. */
export function start(listeners) {
  ({ changed, refused, conflicted, made } = listeners);
}

export const visible = (things) => things.filter((each) => !each.deleted);
/** How many tasks of a list are not completed, or null as long as that is not known. */
export const remaining = (list) => (list.read ? visible(list.tasks).filter((task) => !task.completed).length : list.left);
/** Whether closing the page would lose something. */
export const isUnsaved = () => queue.waiting.length > 0 || conflicts().length > 0;

const etag = (thing) => thing.saved?.version;
const conflicts = () => state.lists.flatMap((list) => [list, ...(list.tasks ?? [])]).filter((each) => each.conflict);
const isBusy = (thing) => thing.conflict || thing.deleted || thing === state.editing || isWaiting(thing);
const byId = (a, b) => (a.id === b.id ? 0 : (a.id ?? Infinity) - (b.id ?? Infinity)); // those without one come last
const inOrder = (a, b) => a.order - b.order || byId(a, b);

// ── Reading ──────────────────────────────────────────────────────────────────

const newList = (name) => ({ key: `new-${++keys}`, id: null, name, saved: null, tasks: null, read: false, left: null });
const listOf = (row) => ({ ...newList(row.name), key: String(row.id) });
const newTask = (list, members) => ({ key: `task-${++keys}`, id: null, list, saved: null, due: null, completed: false, ...members });

/** Show a row of the service's, unless it is older than what is known. */
function adopt(thing, row) {
  if (thing.saved && row.version < thing.saved.version) return;
  thing.saved = row;
  thing.id = row.id;
  if ("name" in row) thing.name = row.name;
  else {
    ({ title: thing.title, completed: thing.completed, due: thing.due, order: thing.order } = row);
    if (thing.list.id !== row.list) relocate(thing, state.lists.find((list) => list.id === row.list));
  }
}

function relocate(task, list) {
  const from = task.list.tasks;
  if (from?.includes(task)) from.splice(from.indexOf(task), 1);
  if (!list) return; // one that this page has not read
  task.list = list;
  (list.tasks ??= []).push(task);
  if (!list.read && list.left !== null && !task.completed) list.left += 1;
}

/** Take the row that an answer brought; what was changed since stays as it is shown. */
function acknowledge(thing, row) {
  thing.saved = row;
  thing.id = row.id;
  if (!waitsOnce(thing)) return;
  adopt(thing, row);
  thing.list?.tasks?.sort(inOrder);
}

const waitsOnce = (thing) => queue.waiting.filter((each) => each.target === thing).length === 1;

/** What is shown after these rows, up to the id `last`, were read. What is being changed stays as it is. */
function merge(things, rows, make, last = Infinity) {
  const known = new Map(things.map((each) => [each.id, each]));
  const merged = rows.map((row) => {
    const thing = known.get(row.id) ?? make(row);
    known.delete(row.id);
    if (!isBusy(thing)) adopt(thing, row);
    return thing;
  });
  const stays = (each) => each.id === null || each.id > last || (known.has(each.id) && isBusy(each));
  return [...merged, ...things.filter(stays)];
}

/** Read as many pages of lists as were shown before; resolves to whether that was possible. */
export async function readLists() {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = queue.settled;
    let [path, rows, next] = ["/lists", [], null];
    do {
      const answer = await page(path);
      if (failed(answer)) return;
      rows = rows.concat(answer.rows);
      path = next = answer.next;
    } while (next && rows.length < state.lists.length);
    if (queue.settled !== before) continue;
    reached();
    state.lists = merge(state.lists, rows, listOf, next ? rows.at(-1).id : Infinity);
    state.next = next;
    if (state.current && !state.lists.includes(state.current)) loseList(state.current);
    changed();
    return true;
  }
  return false;
}

export async function readMore() {
  const answer = await page(state.next);
  if (failed(answer)) return;
  const known = new Set(state.lists.map((list) => list.id));
  const rows = answer.rows.filter((row) => !known.has(row.id));
  state.lists = [...state.lists, ...merge([], rows, listOf)].sort(byId);
  state.next = answer.next;
  changed();
}

/** Read the list with this id, which may be on a page that was not read; resolves to null without it. */
export async function readOne(id) {
  const answer = await request("GET", `/lists/${id}`);
  if (failed(answer) || answer.status !== 200) return null;
  const known = state.lists.find((list) => list.id === answer.data.id);
  if (known) return known;
  const [list] = merge([], [answer.data], listOf);
  state.lists = [...state.lists, list].sort(byId);
  return list;
}

/** Read all tasks of a list, page by page. */
export async function readTasks(list) {
  if (list.id === null) return;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = queue.settled;
    const rows = [];
    for (let path = `/lists/${list.id}/tasks`; path; ) {
      const answer = await page(path);
      if (answer.status === 404) return loseList(list);
      if (failed(answer)) return;
      rows.push(...answer.rows);
      path = answer.next;
      if (!list.read && path) {
        list.tasks = merge(list.tasks ?? [], rows, () => newTask(list, {})); // the first thousand, at once
        changed();
      }
    }
    if (queue.settled !== before) continue;
    reached();
    const moved = new Set(queue.waiting.map(({ target }) => target).filter((task) => task.list && task.list !== list).map((task) => task.id));
    const here = rows.filter((row) => !moved.has(row.id));
    list.tasks = merge(list.tasks ?? [], here, () => newTask(list, {})).sort(inOrder);
    list.read = true;
    return changed();
  }
}

/** Count what is left in the lists that are not shown. */
export async function countOthers() {
  const others = state.lists.filter((list) => list.id !== null && list !== state.current).slice(0, COUNTED);
  for (const list of others) {
    if (list.read) {
      await readTasks(list);
      continue;
    }
    const answer = await page(`/lists/${list.id}/tasks?completed=false`);
    if (failed(answer)) return;
    if (answer.status === 200) list.left = answer.rows.length;
    changed();
  }
}

// ── Changing ─────────────────────────────────────────────────────────────────

export function createList(name) {
  const list = { ...newList(name), tasks: [], read: true };
  state.lists.push(list);
  sendNewList(list);
  return list;
}

function sendNewList(list) {
  const key = newKey();
  const body = { name: list.name };
  enqueue({
    target: list,
    request: () => ["POST", "/lists", { body, key }],
    settle({ status, data }) {
      if (status !== 201) return refuse(list, data, () => forget(list));
      acknowledge(list, data);
      state.lists = state.lists.filter((each) => each === list || each.id !== list.id); // read meanwhile
      made(list);
    },
  });
}

export function createTask(list, title) {
  list.tasks ??= [];
  const task = newTask(list, { title, order: afterLast(list) });
  list.tasks.push(task);
  sendNewTask(task, { title });
  return task;
}

/** The order that the service gives to the next task, as far as is known. */
const afterLast = ({ tasks }) => Math.max(0, tasks?.at(-1)?.order ?? 0) + 1;

function sendNewTask(task, body) {
  const key = newKey();
  enqueue({
    target: task,
    request: () => ["POST", `/lists/${task.list.id}/tasks`, { body, key }],
    async settle({ status, data }) {
      if (status === 404) return loseList(task.list);
      if (status !== 201) return refuse(task, data, () => forget(task));
      acknowledge(task, data);
      task.list.tasks = task.list.tasks?.filter((each) => each === task || each.id !== task.id); // read meanwhile
    },
  });
}

/** Change members of a list or a task: {name}, {title}, {completed}, {due}, {order}. */
export function change(thing, members) {
  Object.assign(thing, members);
  if (thing.conflict?.mine) {
    Object.assign(thing.conflict.mine, members); // sent when it is decided
    return changed();
  }
  // One that was not sent yet takes these members as well.
  const last = queue.waiting.findLast((each) => each.target === thing);
  if (last?.members && !last.sent) {
    Object.assign(last.members, members);
    changed();
  } else sendMembers(thing, { ...members });
}

// A list that was made here has no id until it is acknowledged.
const wire = (members) => ("list" in members ? { ...members, list: members.list.id } : members);
const isPosition = (members) => Object.keys(members).every((name) => name === "order" || name === "list");
const pathOf = (thing) => `/${"name" in thing ? "lists" : "tasks"}/${thing.id}`;

function sendMembers(thing, members) {
  const at = new Date();
  enqueue({
    target: thing,
    members,
    request: () => ["PATCH", pathOf(thing), { body: wire(members), etag: etag(thing) }],
    async settle({ status, data }) {
      if (status === 200) return acknowledge(thing, data);
      if (status !== 412 && status !== 404) return refuse(thing, data, () => revert(thing));
      const row = await theirs(thing);
      if (row === undefined) return "failed";
      if (!row && thing.list && (await isGone(thing.list))) return loseList(thing.list);
      if (row && Object.entries(wire(members)).every(([name, value]) => row[name] === value)) {
        acknowledge(thing, row); // it was saved before, and the acknowledgement was lost
      } else if (row && isPosition(members) && waitsOnce(thing)) {
        // Where a task stands is no matter of versions: what was changed elsewhere stays.
        thing.saved = row;
        ({ title: thing.title, completed: thing.completed, due: thing.due } = row);
        return "again";
      } else clash(thing, row, at);
    },
  });
}

// Deletions are sent when their time for an undo is over.
let held = [];

/** Hide lists or tasks, until destroyHeld() deletes or restoreHeld() shows them. */
export function hold(things) {
  held = things;
  for (const thing of things) thing.deleted = true;
  changed();
}

export function restoreHeld() {
  for (const thing of held) thing.deleted = false;
  held = [];
  changed();
}

export function destroyHeld() {
  const things = held;
  held = [];
  things.forEach(sendDeletion);
}

/** Delete what is hidden while the page is being closed. */
export function destroyOnClosing() {
  for (const thing of held) {
    if (thing.id !== null) request("DELETE", pathOf(thing), { etag: etag(thing), keepalive: true });
    forget(thing);
  }
  held = [];
}

function sendDeletion(thing) {
  const at = new Date();
  enqueue({
    target: thing,
    request: () => ["DELETE", pathOf(thing), { etag: etag(thing) }],
    async settle({ status, data }) {
      if (status === 204 || status === 404) return forget(thing); // 404: deleted before
      if (status !== 412) return refuse(thing, data, () => revert(thing));
      const row = await theirs(thing);
      if (row === undefined) return "failed";
      if (row) clash(thing, row, at);
      else forget(thing);
    },
  });
}

/** Move a task to the end of another list. Returns a function that moves it back. */
export function moveTo(task, list) {
  const { list: from, order } = task;
  put(task, list, afterLast(list));
  sendMembers(task, { list }); // and the service says where it stands
  return () => {
    put(task, from, order);
    sendMembers(task, { list: from, order });
  };
}

function put(task, list, order) {
  task.order = order;
  relocate(task, list);
  list.tasks?.sort(inOrder);
}

/** Put a task before another one of its list, or at the end. */
export function moveBefore(task, other) {
  const { tasks } = task.list;
  tasks.splice(tasks.indexOf(task), 1);
  tasks.splice(other ? tasks.indexOf(other) : tasks.length, 0, task);
  for (const [each, order] of positions(tasks, tasks.indexOf(task))) change(each, { order });
  changed();
}

// ── When the service says no ─────────────────────────────────────────────────

/** The row as the service has it now; null if it was deleted, undefined if nobody answers. */
async function theirs(thing) {
  const answer = await request("GET", pathOf(thing));
  if (failed(answer)) return undefined;
  return answer.status === 200 ? answer.data : null;
}

const isGone = async (list) => list.id !== null && (await request("GET", pathOf(list))).status === 404;

function forget(thing) {
  if ("name" in thing) {
    state.lists = state.lists.filter((each) => each !== thing);
    if (state.current === thing) state.current = null;
  } else if (thing.list.tasks) {
    thing.list.tasks = thing.list.tasks.filter((each) => each !== thing);
  }
  changed();
}

function revert(thing) {
  thing.deleted = false;
  adopt(thing, thing.saved);
}

function refuse(thing, problem, undo) {
  const text = thing.title ?? thing.name;
  drop([thing]);
  undo();
  refused(text, problem?.detail ?? "", thing);
}

/** Somebody else was faster: keep both versions, and ask. Without a row it was deleted. */
function clash(thing, row, at) {
  const mine = thing.deleted ? null : merged(thing, row);
  drop([thing]);
  thing.deleted = false;
  Object.assign(thing, mine);
  thing.conflict = { mine, theirs: row, at };
  if (row) thing.saved = row;
  conflicted(thing);
}

/** The members that were changed here, and for the others those of the row, so that nothing else is undone. */
function merged(thing, row) {
  const names = "name" in thing ? ["name"] : ["title", "completed", "due"];
  return Object.fromEntries(names.map((name) => [name, row && thing[name] === thing.saved[name] ? row[name] : thing[name]]));
}

/** A list was deleted elsewhere. What was changed in it here is not lost without a question. */
function loseList(list) {
  const inside = [list, ...(list.tasks ?? [])];
  if (list.deleted || !inside.some(isWaiting)) {
    forget(list);
    if (!list.deleted) refused(list.name, null, list);
    return;
  }
  drop(inside);
  for (const task of list.tasks ?? []) task.conflict = null;
  list.conflict = { mine: { name: list.name }, theirs: null, at: new Date() };
  conflicted(list);
}

/** Decide a conflict for the version that was made here. */
export function keepMine(thing) {
  const { mine, theirs: row } = thing.conflict;
  thing.conflict = null;
  if (!row) makeAgain(thing);
  else if (!mine) {
    thing.deleted = true;
    sendDeletion(thing);
  } else {
    const members = Object.entries(mine).filter(([name, value]) => value !== row[name]);
    if (members.length) change(thing, Object.fromEntries(members));
  }
  changed();
}

function makeAgain(thing) {
  thing.id = thing.saved = null;
  if ("name" in thing) {
    sendNewList(thing);
    for (const task of visible(thing.tasks ?? [])) makeAgain(task);
  } else {
    const { title, completed, due, order } = thing;
    sendNewTask(thing, { title, completed, due, order });
  }
}

/** Decide a conflict for the version that the service has. */
export function takeTheirs(thing) {
  const { theirs: row } = thing.conflict;
  thing.conflict = null;
  if (row) adopt(thing, row);
  else forget(thing);
  changed();
}
