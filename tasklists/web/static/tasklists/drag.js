// Drags a row by its handle. Uses pointer events, because HTML drag and drop does not support touch.

const EDGE = 48; // pixels; nearer to the top or bottom of the window, the page scrolls
const SPEED = 12; // pixels per frame
const INSET = 60; // pixels from a row's left edge, where the row under the pointer is looked for

/**
 * Call `drop(row, next)` after a row was dragged; `next` is the row after it, or null. Call
 * `cancel()` if it was not dropped, to have the rows drawn in their order.
 */
export function startDragging(rows, drop, cancel) {
  rows.addEventListener("pointerdown", (e) => {
    const grip = e.target.closest(".grip");
    if (!grip || e.button !== 0) return;
    e.preventDefault();
    drag(rows, grip.closest(".task"), e.pointerId, drop, cancel);
  });
}

function drag(rows, row, pointer, drop, cancel) {
  const home = row.nextElementSibling;
  const ended = new AbortController();
  let y = null;
  row.classList.add("drag");

  function follow() {
    if (!row.isConnected) return; // it was changed elsewhere, and drawn anew
    const x = row.getBoundingClientRect().x + INSET;
    const others = document.elementsFromPoint(x, y).map((each) => each.closest(".task"));
    const over = others.find((each) => each && each !== row);
    if (!over || over.parentElement !== rows) return;
    const box = over.getBoundingClientRect();
    const below = y > box.y + box.height / 2;
    const place = below ? over.nextElementSibling : over;
    if (place !== row && place !== row.nextElementSibling) rows.insertBefore(row, place);
  }

  function scroll() {
    if (ended.signal.aborted) return;
    const by = y === null ? 0 : y < EDGE ? -SPEED : y > innerHeight - EDGE ? SPEED : 0;
    if (by) {
      scrollBy(0, by);
      follow();
    }
    requestAnimationFrame(scroll);
  }

  /** Drop the row before `next`, or after all others if that is null; without it, undo the drag. */
  function end(next) {
    ended.abort();
    row.classList.remove("drag");
    const moved = row.nextElementSibling !== home;
    if (next === undefined || !row.isConnected) cancel();
    else if (moved) drop(row, next);
  }

  // Listen on the document: a row that moves in the tree loses the pointer capture.
  const isOurs = (e) => e.type === "keydown" || e.pointerId === pointer;
  const on = (type, listener) =>
    document.addEventListener(type, (e) => isOurs(e) && listener(e), { signal: ended.signal });
  on("pointermove", (e) => {
    y = e.clientY;
    follow();
  });
  on("pointerup", () => end(row.nextElementSibling));
  on("pointercancel", () => end(undefined));
  on("keydown", (e) => e.key === "Escape" && end(undefined));
  requestAnimationFrame(scroll);
}
