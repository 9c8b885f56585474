// What numbers, codes, times and prices look like.

const DIGIT = "0-9\u06F0-\u06F9\u0660-\u0669";
// Four to eight digits, but no piece of a longer number, a price with separators, a date, a time or an address.
const CODE = new RegExp(
  `https?://\\S+|(?<![${DIGIT}])(?<![${DIGIT}][.,/:٬٫-])([${DIGIT}]{4,8})(?![.,/:٬٫-]?[${DIGIT}])`,
  "gi",
);
const PERSIAN = /[\u0600-\u06FF]/;

const PRICE = new Intl.NumberFormat("en-US");
const TIME = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const DAY_AND_TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });

export const STATES = {
  scheduled: "Scheduled",
  queued: "Queued",
  sent: "Sent",
  delivered: "Delivered",
  failed: "Failed",
  blocked: "Blocked",
  cancelled: "Cancelled",
};

const TITLES = { ghasedak: "Ghasedak", smsir: "sms.ir" };
export const titleOf = (gateway) => TITLES[gateway] ?? gateway;

export function latinDigits(text) {
  return text
    .replace(/[\u06F0-\u06F9]/g, (digit) => digit.charCodeAt(0) - 0x06f0)
    .replace(/[\u0660-\u0669]/g, (digit) => digit.charCodeAt(0) - 0x0660);
}

// The part of a number that is the same however it is written: +98912…, 0098912…, 0912…, ۰۹۱۲…
export function numberCore(text) {
  return latinDigits(text)
    .replace(/[^0-9+]/g, "")
    .replace(/^(?:\+98|0098|98(?=9)|0)/, "")
    .replace(/\+/g, "");
}

// [piece, code] pairs: the code is null for a piece of plain text, else the digits as a form takes them.
export function piecesOf(text) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(CODE)) {
    if (!match[1]) continue;
    if (match.index > end) pieces.push([text.slice(end, match.index), null]);
    pieces.push([match[0], latinDigits(match[0])]);
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push([text.slice(end), null]);
  return pieces;
}

export const languageOf = (text) => (PERSIAN.test(text) ? "fa" : null);
export const rial = (price) => `${PRICE.format(price)} rial`;
export const count = (number, one, many = `${one}s`) => `${PRICE.format(number)} ${number === 1 ? one : many}`;
export const clockTime = (moment) => TIME.format(moment);
export const fullTime = (moment) => DAY_AND_TIME.format(moment);
export const day = (moment) => DAY.format(moment);

// "+1 d 2 h": the two largest units of a length of time.
export function offset(seconds) {
  const left = Math.round(Math.abs(seconds));
  const units = [
    [Math.floor(left / 86400), "d"],
    [Math.floor(left / 3600) % 24, "h"],
    [Math.floor(left / 60) % 60, "min"],
    [left % 60, "s"],
  ];
  const first = units.findIndex(([number]) => number > 0);
  if (first < 0) return "";
  const shown = units.slice(first, first + 2).filter(([number]) => number > 0);
  return `${seconds < 0 ? "−" : "+"}${shown.map((unit) => unit.join(" ")).join(" ")}`;
}
