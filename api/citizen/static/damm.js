// The receipt's check digit (Damm 2004), as models/receipt.py has it.

export const DIGITS = 16;
const QUASIGROUP = [
  "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
  "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
];

/** Tell whether sixteen digits carry their check digit. */
export function isReceipt(digits) {
  if (!/^[0-9]{16}$/.test(digits)) return false;
  let interim = 0;
  for (const digit of digits) interim = Number(QUASIGROUP[interim][Number(digit)]);
  return interim === 0;
}

/** Keep the digits of what was scanned or typed. */
export function digitsOf(text) {
  return text.replace(/[^0-9]/g, "").slice(0, DIGITS);
}

/** Write digits in groups of four. */
export function grouped(digits) {
  return digits.replace(/(.{4})(?=.)/g, "$1 ");
}
