// Chooses the `order` of a task that has moved.

/**
 * The new orders that `tasks[at]` needs to keep its place in the array, as [[task, order], …]. The
 * other tasks are in ascending order. If there is no integer between those of its neighbours, the
 * tasks after it or before it are shifted by one up to the next gap, whichever are fewer.
 */
export function positions(tasks, at) {
  const before = tasks[at - 1]?.order;
  const after = tasks[at + 1]?.order;
  if (before === undefined && after === undefined) return [];
  if (after === undefined) return [[tasks[at], before + 1]];
  if (before === undefined) return [[tasks[at], after - 1]];
  if (after - before > 1) return [[tasks[at], Math.floor((before + after) / 2)]];
  const later = shift(tasks, at, before + 1, 1);
  const earlier = shift(tasks, at, after - 1, -1);
  return later.length <= earlier.length ? later : earlier;
}

/** Give `tasks[at]` this order, and shift the tasks in the direction of `step` (1 or -1) that are in its way. */
function shift(tasks, at, order, step) {
  const found = [[tasks[at], order]];
  for (let i = at + step; tasks[i] && (tasks[i].order - order) * step <= 0; i += step) {
    order += step;
    found.push([tasks[i], order]);
  }
  return found;
}
