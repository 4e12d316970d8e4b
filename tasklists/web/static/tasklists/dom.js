// The few things that the page needs of the document.

import { t } from "./words.js";

export const $ = (id) => document.getElementById(id);

/** An element with these properties, attributes ("aria-…", "data-…", "role") and children. */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children);
  return element;
}

/** A copy of the first element of a <template>. */
export const copy = (id) => $(id).content.firstElementChild.cloneNode(true);

/** Have a screen reader say the text, once. */
export function announce(text) {
  $("live").textContent = text;
}

/** Write the words of the reader's language into the page. */
export function translate() {
  for (const each of document.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  for (const each of document.querySelectorAll("[data-label]")) each.ariaLabel = t(each.dataset.label);
  for (const each of document.querySelectorAll("[data-place]")) each.placeholder = t(each.dataset.place);
}

const shown = new WeakMap(); // per parent: key → {signature, element}

/**
 * Make `items` ({key, signature, make()}) the children of an element. A child whose signature is
 * the same stays as it is, and the focus stays on the same control of the same child.
 */
export function reconcile(parent, items) {
  const before = shown.get(parent) ?? new Map();
  const after = new Map();
  const active = parent.contains(document.activeElement) ? document.activeElement : null;
  const holder = active && [...before].find(([, entry]) => entry.element.contains(active))?.[0];
  for (const { key, signature, make } of items) {
    const known = before.get(key);
    after.set(key, known?.signature === signature ? known : { signature, element: make() });
  }
  for (const [key, { element }] of before) if (after.get(key)?.element !== element) element.remove();
  let next = parent.firstElementChild;
  for (const { element } of after.values()) {
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
  shown.set(parent, after);
  const now = after.get(holder)?.element;
  if (!now || now.contains(document.activeElement)) return;
  const same = active.isConnected ? active : now.querySelector(active.dataset.do ? `[data-do="${active.dataset.do}"]` : active.localName);
  same?.focus({ preventScroll: true });
}
