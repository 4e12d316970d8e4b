// Dragging a row by its handle, with a finger too: HTML's own drag and drop knows no touch.

const EDGE = 48; // pixels from the top or bottom of the window, where the page scrolls
const SPEED = 12; // pixels a frame

/** Call `drop(row, next)` when a row was dragged; `next` is the row after it, or null. */
export function startDragging(rows, drop) {
  rows.addEventListener("pointerdown", (e) => {
    const grip = e.target.closest(".grip");
    if (!grip || e.button !== 0) return;
    e.preventDefault();
    drag(rows, grip.closest(".task"), e.pointerId, drop);
  });
}

function drag(rows, row, pointer, drop) {
  const home = row.nextElementSibling;
  const ended = new AbortController();
  let y = null;
  row.classList.add("drag");

  function follow() {
    const x = row.getBoundingClientRect().x + 60;
    const over = document.elementsFromPoint(x, y).map((each) => each.closest(".task")).find((each) => each && each !== row);
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

  function end(next) {
    ended.abort();
    row.classList.remove("drag");
    const moved = row.nextElementSibling !== home;
    if (next === undefined) rows.insertBefore(row, home);
    else if (moved) drop(row, next);
  }

  // On the document, since moving the row in the tree would end a capture of the pointer.
  const on = (type, listener) =>
    document.addEventListener(type, (e) => (type === "keydown" || e.pointerId === pointer) && listener(e), { signal: ended.signal });
  on("pointermove", (e) => {
    y = e.clientY;
    follow();
  });
  on("pointerup", () => end(row.nextElementSibling));
  on("pointercancel", () => end(undefined));
  on("keydown", (e) => e.key === "Escape" && end(undefined));
  requestAnimationFrame(scroll);
}
