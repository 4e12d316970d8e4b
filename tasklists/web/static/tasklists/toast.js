// The toast: a message at the bottom of the page, with Undo if there is something to undo.

import { $ } from "./dom.js";

const SHOWN = 10_000; // milliseconds

let current = null; // {undo, closed, sticky}
let timer = null;

/**
 * Show a message in place of the one before it. It closes after ten seconds, which start anew when
 * the pointer or the focus leaves it; a `sticky` one stays. `undo` is called by Undo, and `closed` if
 * the toast closes without it.
 */
export function show(text, { undo = null, closed = () => {}, sticky = false } = {}) {
  close();
  current = { undo, closed, sticky };
  $("toast-text").textContent = text;
  $("undo").hidden = !undo;
  $("toast").hidden = false;
  startTimer();
}

/** Close the toast; its action can no longer be undone. */
export function close() {
  const { closed } = current ?? {};
  hide();
  closed?.();
}

/** Undo the action of the toast; returns whether there was one. */
function undo() {
  const { undo: takeBack } = current ?? {};
  if (!takeBack) return false;
  hide();
  takeBack();
  return true;
}

function hide() {
  clearTimeout(timer);
  current = null;
  $("toast").hidden = true;
}

function startTimer() {
  clearTimeout(timer);
  if (current && !current.sticky) timer = setTimeout(close, SHOWN);
}

export function start() {
  const toast = $("toast");
  $("undo").addEventListener("click", undo);
  $("dismiss").addEventListener("click", close);
  for (const type of ["pointerenter", "focusin"]) toast.addEventListener(type, () => clearTimeout(timer));
  for (const type of ["pointerleave", "focusout"]) toast.addEventListener(type, startTimer);
  document.addEventListener("keydown", (e) => {
    // A text that is being typed has an undo of its own.
    const isText = e.target.matches("input:not([type=checkbox], [type=radio])") && e.target.value !== "";
    if ((e.ctrlKey || e.metaKey) && !e.shiftKey && e.key === "z" && !isText && undo()) e.preventDefault();
  });
}
