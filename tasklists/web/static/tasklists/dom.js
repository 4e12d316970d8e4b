// Finds, creates, translates and updates elements.

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

/** A copy of the element in a <template>. */
export const copy = (id) => $(id).content.firstElementChild.cloneNode(true);

/** Have screen readers read a text out. */
export function announce(text) {
  $("live").textContent = text;
}

/** Write the texts of the page in the chosen language. */
export function translate() {
  for (const each of document.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  for (const each of document.querySelectorAll("[data-label]")) each.ariaLabel = t(each.dataset.label);
  for (const each of document.querySelectorAll("[data-placeholder]")) each.placeholder = t(each.dataset.placeholder);
}

const shown = new WeakMap(); // parent → Map of key → {signature, element}

/**
 * Make `items` ({key, signature, make()}) the children of an element. A child is only made anew if
 * its signature has changed, and the focus stays on the same control of the same child.
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
    else if (element.contains(active)) {
      // It would lose the focus by being moved: what stands before it gives way.
      while (next !== element) {
        const following = next.nextElementSibling;
        parent.append(next);
        next = following;
      }
      next = element.nextElementSibling;
    } else parent.insertBefore(element, next);
  }
  shown.set(parent, after);
  restoreFocus(active, after.get(holder)?.element);
}

/** Focus the control that had the focus, or the one of `child` that replaces it. */
function restoreFocus(active, child) {
  if (!child || child.contains(document.activeElement)) return;
  const selector = active.dataset.do ? `[data-do="${active.dataset.do}"]` : active.localName;
  const control = active.isConnected ? active : child.querySelector(selector);
  control?.focus({ preventScroll: true });
}
