// The lists and their tasks as the page shows them: the rows of the service with the changes made here.
//
// A list or task has its members as they are shown, and in `saved` the row that they are based on,
// which is null until it is created. `key` identifies it in the page, `deleted` hides it until its
// deletion is acknowledged, and `conflict` has the two versions between which the reader chooses.

import { newKey, page, request } from "./api.js";
import { drop, enqueue, failed, isWaiting, queue, reached } from "./changes.js";
import { positions } from "./order.js";

const MAX_COUNTED = 100; // lists whose active tasks are counted without being opened
const ATTEMPTS = 3; // to read rows without a change being acknowledged in between

export const state = {
  lists: [],
  current: null, // the list that is shown
  loaded: false, // whether the lists have been read and `current` is chosen
  next: null, // the path of the next page of lists
  editing: null, // the task whose title is being edited
};

let keys = 0;
let changed = () => {};
let refused = () => {};
let lost = () => {};
let conflicted = () => {};
let created = () => {};

/**
 * Set the listeners: `changed()` after every change of the state; `refused(text, detail, thing)` when
 * the service refuses a change; `lost(list)` when a list was deleted elsewhere; `conflicted(thing)`
 * when there are two versions; `created(list)` when a new list has an id.
 */
export function start(listeners) {
  ({ changed, refused, lost, conflicted, created } = listeners);
}

export const isList = (thing) => "name" in thing;
export const visible = (things) => things.filter((each) => !each.deleted);

/** How many tasks of a list are not completed, or null as long as that is not known. */
export const remaining = (list) => (list.read ? visible(list.tasks).filter((task) => !task.completed).length : list.left);

/** Whether closing the page would lose something. */
export const isUnsaved = () => queue.waiting.length > 0 || conflicts().length > 0;

const etag = (thing) => thing.saved?.version;
const conflicts = () => state.lists.flatMap((list) => [list, ...(list.tasks ?? [])]).filter((each) => each.conflict);
// Whether what is shown must not be replaced by a row that was read.
const isBusy = (thing) => thing.conflict || thing.deleted || thing === state.editing || isWaiting(thing);
const byId = (a, b) => (a.id === b.id ? 0 : (a.id ?? Infinity) - (b.id ?? Infinity)); // new ones, without an id, come last
const inOrder = (a, b) => a.order - b.order || byId(a, b);

// ── Reading ──────────────────────────────────────────────────────────────────

const newList = (name) => ({ key: `new-${++keys}`, id: null, name, saved: null, tasks: null, read: false, left: null });
const listFrom = (row) => ({ ...newList(row.name), key: String(row.id) });
const newTask = (list, members = {}) => ({
  key: `task-${++keys}`, id: null, list, saved: null, due: null, completed: false, ...members,
});

/** Show a row of the service, unless it is older than the known one. */
function adopt(thing, row) {
  if (thing.saved && row.version < thing.saved.version) return;
  thing.saved = row;
  thing.id = row.id;
  if (isList(row)) thing.name = row.name;
  else {
    ({ title: thing.title, completed: thing.completed, due: thing.due, order: thing.order } = row);
    if (thing.list.id !== row.list) relocate(thing, state.lists.find((list) => list.id === row.list));
  }
}

function relocate(task, list) {
  const { list: from } = task;
  if (from.tasks?.includes(task)) from.tasks.splice(from.tasks.indexOf(task), 1);
  countMoved(task, from, -1);
  if (!list) return; // on a page of lists that has not been read
  task.list = list;
  (list.tasks ??= []).push(task);
  countMoved(task, list, 1);
}

function countMoved(task, list, by) {
  if (!list.read && list.left !== null && !task.completed) list.left += by;
}

/** Take the row that a change returned. If further changes are waiting, what is shown stays. */
function acknowledge(thing, row) {
  thing.saved = row;
  thing.id = row.id;
  if (!isLastWaiting(thing)) return;
  adopt(thing, row);
  thing.list?.tasks?.sort(inOrder);
}

const changesOf = (thing) => queue.waiting.filter((each) => each.target === thing);
// Whether exactly one change of a list or task is waiting, the one being settled.
const isLastWaiting = (thing) => changesOf(thing).length === 1;

/** Merge rows, which were read up to the id `last`, into the things that are shown. Busy ones stay as they are. */
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

/** Read the lists, as many pages as are shown. Resolves to whether that succeeded. */
export async function readLists() {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = queue.settled;
    let [path, rows, next] = ["/lists", [], null];
    do {
      const answer = await page(path);
      if (failed(answer)) return false;
      rows = rows.concat(answer.rows);
      path = next = answer.next;
    } while (next && rows.length < state.lists.length);
    if (queue.settled !== before) continue;
    reached();
    state.lists = merge(state.lists, rows, listFrom, next ? rows.at(-1).id : Infinity);
    state.next = next;
    if (state.current && !state.lists.includes(state.current)) loseList(state.current, state.current.id);
    changed();
    return true;
  }
  return false;
}

/** Read the next page of lists. */
export async function readMoreLists() {
  const answer = await page(state.next);
  if (failed(answer)) return;
  const known = new Set(state.lists.map((list) => list.id));
  const rows = answer.rows.filter((row) => !known.has(row.id));
  state.lists = [...state.lists, ...merge([], rows, listFrom)].sort(byId);
  state.next = answer.next;
  changed();
}

/** Read the list with this id, which may be on a page that has not been read. Resolves to null if there is none. */
export async function readList(id) {
  const answer = await request("GET", `/lists/${id}`);
  if (failed(answer) || answer.status !== 200) return null;
  const known = state.lists.find((list) => list.id === answer.data.id);
  if (known) return known;
  const [list] = merge([], [answer.data], listFrom);
  state.lists = [...state.lists, list].sort(byId);
  return list;
}

/** Read all tasks of a list, page by page. */
export async function readTasks(list) {
  const { id } = list;
  if (id === null) return;
  const make = () => newTask(list);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = queue.settled;
    const rows = [];
    for (let path = `/lists/${id}/tasks`; path; ) {
      const answer = await page(path);
      if (list.id !== id) return; // it was created again meanwhile
      if (answer.status === 404) return loseList(list, id);
      if (failed(answer)) return;
      rows.push(...answer.rows);
      path = answer.next;
      if (!list.read && path) {
        list.tasks = merge(list.tasks ?? [], rows, make); // show what has been read so far
        changed();
      }
    }
    if (queue.settled !== before) continue;
    reached();
    const targets = queue.waiting.map(({ target }) => target);
    const elsewhere = targets.filter((target) => target.list && target.list !== list); // tasks being moved
    const moved = new Set(elsewhere.map((task) => task.id));
    const here = rows.filter((row) => !moved.has(row.id));
    list.tasks = merge(list.tasks ?? [], here, make).sort(inOrder);
    list.read = true;
    return changed();
  }
}

/** Count the active tasks of the lists that are not shown. */
export async function countOthers() {
  const others = state.lists.filter((list) => list.id !== null && list !== state.current).slice(0, MAX_COUNTED);
  for (const list of others) {
    if (list.read) await readTasks(list);
    else if (!(await countActive(list))) return;
  }
}

/** Count the active tasks of a list that has not been read. Resolves to false during an outage. */
async function countActive(list) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = queue.settled;
    const answer = await page(`/lists/${list.id}/tasks?completed=false`);
    if (failed(answer)) return false;
    if (answer.status !== 200) return true;
    if (queue.settled !== before) continue;
    // Tasks whose changes are waiting count where they are shown.
    const waiting = [...new Set(queue.waiting.map(({ target }) => target))].filter((target) => !isList(target));
    const others = answer.rows.filter(({ id }) => !waiting.some((task) => task.id === id));
    const here = waiting.filter((task) => task.list === list && !task.deleted && !task.completed);
    list.left = others.length + here.length;
    changed();
    return true;
  }
  return true;
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
      if (status !== 201) {
        drop(list.tasks);
        return refuse(list, data, () => forget(list));
      }
      acknowledge(list, data);
      // The new list may have been read in the meantime.
      state.lists = state.lists.filter((each) => each === list || each.id !== list.id);
      created(list);
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

/** The order that the service will probably give to the next task. */
const afterLast = ({ tasks }) => Math.max(0, tasks?.at(-1)?.order ?? 0) + 1;

function sendNewTask(task, body) {
  const key = newKey();
  let listId; // when the request was sent
  enqueue({
    target: task,
    request() {
      listId = task.list.id;
      return ["POST", `/lists/${listId}/tasks`, { body, key }];
    },
    async settle({ status, data }) {
      if (status === 404) return loseList(task.list, listId);
      if (status !== 201) return refuse(task, data, () => forget(task));
      acknowledge(task, data);
      // The new task may have been read in the meantime.
      task.list.tasks = task.list.tasks?.filter((each) => each === task || each.id !== task.id);
    },
  });
}

/** Change members of a list or a task: {name}, {title}, {completed}, {due}, {order}. */
export function change(thing, members) {
  Object.assign(thing, members);
  if (thing.conflict?.mine) {
    Object.assign(thing.conflict.mine, members); // sent when the reader has chosen a version
    return changed();
  }
  // Add the members to a change that has not been sent yet.
  const last = queue.waiting.findLast((each) => each.target === thing);
  if (last?.members && !last.sent) {
    Object.assign(last.members, members);
    changed();
  } else sendMembers(thing, { ...members });
}

// The list of a task is sent as its id, which a new list only has once it is created.
const bodyOf = (members) => ("list" in members ? { ...members, list: members.list.id } : members);
const POSITION = new Set(["order", "list"]);
const isPosition = (members) => Object.keys(members).every((name) => POSITION.has(name));
const pathOf = (thing) => `/${isList(thing) ? "lists" : "tasks"}/${thing.id}`;

function sendMembers(thing, members) {
  const at = new Date();
  enqueue({
    target: thing,
    members,
    request: () => ["PATCH", pathOf(thing), { body: bodyOf(members), etag: etag(thing) }],
    async settle({ status, data }) {
      if (status === 200) return acknowledge(thing, data);
      if (status !== 412 && status !== 404) return refuse(thing, data, () => revert(thing));
      const row = await fetchRow(thing);
      if (row === undefined) return "failed";
      if (!row && thing.list && (await isGone(thing.list))) return loseList(thing.list, thing.list.id);
      if (row && Object.entries(bodyOf(members)).every(([name, value]) => row[name] === value)) {
        acknowledge(thing, row); // it had been saved, but the response was lost
      } else if (row && thing !== state.editing && changesOf(thing).every((each) => each.members && isPosition(each.members))) {
        // Moving a task does not conflict with changes of its other members: keep those and retry.
        thing.saved = row;
        ({ title: thing.title, completed: thing.completed, due: thing.due } = row);
        return "again";
      } else noteConflict(thing, row, at);
    },
  });
}

// What is hidden while its deletion can be undone.
let held = [];

/** Hide lists or tasks until destroyHeld() deletes them or restoreHeld() shows them again. */
export function hold(things) {
  held = things;
  for (const thing of things) thing.deleted = true;
  changed();
}

/** How many deletions can still be undone. */
export const heldCount = () => held.length;

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

/** Delete the hidden lists or tasks while the page is being closed. */
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
      if (status === 204 || status === 404) return forget(thing); // 404: already deleted
      if (status !== 412) return refuse(thing, data, () => revert(thing));
      const row = await fetchRow(thing);
      if (row === undefined) return "failed";
      if (row) noteConflict(thing, row, at);
      else forget(thing);
    },
  });
}

/** Move a task to the end of another list. Returns a function that moves it back. */
export function moveTo(task, list) {
  const { list: from, order } = task;
  insert(task, list, afterLast(list));
  sendMembers(task, { list }); // the service puts it at the end
  return () => {
    insert(task, from, order);
    sendMembers(task, { list: from, order });
  };
}

function insert(task, list, order) {
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

// ── Refusals and conflicts ───────────────────────────────────────────────────

/** Read the current row. Resolves to null if it was deleted, and to undefined during an outage. */
async function fetchRow(thing) {
  const answer = await request("GET", pathOf(thing));
  if (failed(answer)) return undefined;
  return answer.status === 200 ? answer.data : null;
}

const isGone = async (list) => list.id !== null && (await request("GET", pathOf(list))).status === 404;

function forget(thing) {
  if (isList(thing)) {
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

/** Keep both versions for the reader to choose from. `row` is null if the other one is a deletion. */
function noteConflict(thing, row, at) {
  const mine = thing.deleted ? null : combine(thing, row);
  const moves = changesOf(thing).flatMap(({ members }) => Object.entries(members ?? {}).filter(([name]) => POSITION.has(name)));
  drop([thing]);
  held = held.filter((each) => each !== thing); // the reader decides about its deletion
  thing.deleted = false;
  Object.assign(thing, mine);
  thing.conflict = { mine, theirs: row, at };
  if (row) thing.saved = row;
  if (row && mine && moves.length) sendMembers(thing, Object.fromEntries(moves));
  conflicted(thing);
}

/** The members that were changed here, and for all others those of the row, so that no other change is undone. */
function combine(thing, row) {
  const names = isList(thing) ? ["name"] : ["title", "completed", "due"];
  const isChanged = (name) => !row || thing[name] !== thing.saved[name];
  return Object.fromEntries(names.map((name) => [name, (isChanged(name) ? thing : row)[name]]));
}

/** Remove a list that was deleted elsewhere; if changes in it are waiting, ask first. */
function loseList(list, id) {
  if (list.conflict || list.id !== id) return; // known already, or created again meanwhile
  const inside = [list, ...(list.tasks ?? [])];
  if (list.deleted || !inside.some((each) => isWaiting(each) || each.conflict)) {
    forget(list);
    if (!list.deleted) lost(list);
    return;
  }
  drop(inside);
  if (!state.lists.includes(list)) state.lists = [...state.lists, list].sort(byId); // where it has a mark
  for (const task of list.tasks ?? []) task.conflict = null;
  list.conflict = { mine: { name: list.name }, theirs: null, at: new Date() };
  conflicted(list);
}

/** Resolve a conflict with the version made here. */
export function keepMine(thing) {
  const { mine, theirs: row } = thing.conflict;
  thing.conflict = null;
  if (!row) recreate(thing);
  else if (!mine) {
    thing.deleted = true;
    sendDeletion(thing);
  } else {
    const members = Object.entries(mine).filter(([name, value]) => value !== row[name]);
    if (members.length) change(thing, Object.fromEntries(members));
  }
  changed();
}

/** Create a list, with its tasks, or a task again after it was deleted elsewhere. */
function recreate(thing) {
  thing.id = thing.saved = null;
  if (isList(thing)) {
    sendNewList(thing);
    for (const task of visible(thing.tasks ?? [])) recreate(task);
  } else {
    const { title, completed, due, order } = thing;
    sendNewTask(thing, { title, completed, due, order });
  }
}

/** Resolve a conflict with the version of the service. */
export function takeTheirs(thing) {
  const { theirs: row } = thing.conflict;
  thing.conflict = null;
  if (row) adopt(thing, row);
  else forget(thing);
  changed();
}
