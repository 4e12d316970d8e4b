// Converts between dates of the API ("2027-02-28", without a time zone) and text for people.

import { lang, t } from "./words.js";

const DAY = 86_400_000;
const pad = (n) => String(n).padStart(2, "0");

/** The date `days` from today, in the browser's time zone. */
export function day(days = 0) {
  const now = new Date();
  const then = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  return `${String(then.getFullYear()).padStart(4, "0")}-${pad(then.getMonth() + 1)}-${pad(then.getDate())}`;
}

const format = (date, parts) =>
  new Intl.DateTimeFormat(lang, { timeZone: "UTC", ...parts }).format(Date.parse(date)).replaceAll(".", "");

/** A date such as "Fri, Nov 27". */
export const shortDay = (date) => format(date, { weekday: "short", day: "numeric", month: "short" });

/** A due date as a task shows it: "Today", "Tomorrow", "Mon, Nov 30", "Overdue · Nov 24". */
export function dueText(due) {
  const days = Math.round((Date.parse(due) - Date.parse(day())) / DAY);
  if (days === 0) return t("today");
  if (days === 1) return t("tomorrow");
  const parts = { day: "numeric", month: "short" };
  if (days > 1) parts.weekday = "short";
  if (due.slice(0, 4) !== day().slice(0, 4)) parts.year = "numeric";
  const text = format(due, parts);
  return days < 0 ? t("overdue", { date: text }) : text;
}

/** The time of day, such as "10:41". */
export function clock(at, { seconds = false } = {}) {
  const parts = { hour: "2-digit", minute: "2-digit", ...(seconds && { second: "2-digit" }) };
  return new Intl.DateTimeFormat(lang, { ...parts, hour12: false }).format(at);
}
