// The integers by which tasks are ordered.

/**
 * The fewest new orders with which `tasks[at]` stands where it is in the array: [[task, order], …].
 * The orders of all others are ascending. If there is no integer between those of its neighbours,
 * the ones after it give way, or the ones before it.
 */
export function positions(tasks, at) {
  const before = tasks[at - 1]?.order;
  const after = tasks[at + 1]?.order;
  if (before === undefined && after === undefined) return [];
  if (after === undefined) return [[tasks[at], before + 1]];
  if (before === undefined) return [[tasks[at], after - 1]];
  if (after - before > 1) return [[tasks[at], Math.floor((before + after) / 2)]];
  const later = giveWay(tasks, at, before + 1, 1);
  const earlier = giveWay(tasks, at, after - 1, -1);
  return later.length <= earlier.length ? later : earlier;
}

function giveWay(tasks, at, order, step) {
  const found = [[tasks[at], order]];
  for (let i = at + step; tasks[i] && (tasks[i].order - order) * step <= 0; i += step) {
    order += step;
    found.push([tasks[i], order]);
  }
  return found;
}
