// Starts the page and routes by the hash: #lists, #lists/7 or #cluster.

import * as cluster from "./cluster.js";
import * as lists from "./lists.js";
import { csrfToken } from "./api.js";
import { $, translate } from "./dom.js";
import { lang, t } from "./words.js";

const views = { lists, cluster };

function show() {
  const [name, id] = location.hash.slice(1).split("/");
  const chosen = Object.hasOwn(views, name) ? name : "lists"; // not "toString"
  for (const each of Object.keys(views)) $(`view-${each}`).hidden = each !== chosen;
  for (const tab of document.querySelectorAll("[data-tab]")) {
    if (tab.dataset.tab === chosen) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  document.title = `${views[chosen].show(id) ?? t(chosen)} · Tasklists`;
}

document.documentElement.lang = lang;
translate();
lists.start();
cluster.start();
addEventListener("hashchange", show);
// The token of the form is that of the time when the page was loaded.
document.querySelector(".account")?.addEventListener("submit", (e) => {
  e.target.elements.csrfmiddlewaretoken.value = csrfToken() ?? "";
});
show();
document.body.dataset.started = ""; // for reload.js
