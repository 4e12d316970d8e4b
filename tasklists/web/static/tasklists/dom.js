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
