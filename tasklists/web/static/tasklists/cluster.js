// The cluster view.

/** Listen to the view's controls. */
export function start() {}

/** Called when the view is shown; returns its title. */
export function show() {}
