// The line at the bottom that says what happened, with a way back.

import { $ } from "./dom.js";

const SHOWN = 10_000; // milliseconds

let current = null; // {undo, closed}
let timer = null;

/**
 * Show a text for ten seconds, and for longer under the pointer or with the focus in it; without
 * a limit if it is `sticky`. `undo` takes back what it tells; `closed` is called without an undo.
 */
export function show(text, { undo = null, closed = () => {}, sticky = false } = {}) {
  close();
  current = { undo, closed, sticky };
  $("toast-text").textContent = text;
  $("undo").hidden = !undo;
  $("toast").hidden = false;
  wait();
}

/** End the time for an undo. */
export function close() {
  const { closed } = current ?? {};
  hide();
  closed?.();
}

/** Whether there was something to undo. */
export function undo() {
  const { undo: back } = current ?? {};
  if (!back) return false;
  hide();
  back();
  return true;
}

function hide() {
  clearTimeout(timer);
  current = null;
  $("toast").hidden = true;
}

function wait() {
  clearTimeout(timer);
  if (current && !current.sticky) timer = setTimeout(close, SHOWN);
}

export function start() {
  const toast = $("toast");
  $("undo").addEventListener("click", undo);
  $("dismiss").addEventListener("click", close);
  for (const type of ["pointerenter", "focusin"]) toast.addEventListener(type, () => clearTimeout(timer));
  for (const type of ["pointerleave", "focusout"]) toast.addEventListener(type, wait);
  document.addEventListener("keydown", (e) => {
    const writes = e.target.matches("input:not([type=checkbox], [type=radio])");
    if ((e.ctrlKey || e.metaKey) && !e.shiftKey && e.key === "z" && !writes && undo()) e.preventDefault();
  });
}
