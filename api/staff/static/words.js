// Pure functions over words and times. Nothing here touches the page.

/** Find the word that is spoken at a moment: the last that began, unless it is long over. */
export function wordAt(words, seconds) {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle].start <= seconds + 0.02) low = middle + 1;
    else high = middle;
  }
  const word = words[low - 1];
  return word && seconds < word.end + 0.12 ? low - 1 : -1;
}

/** Find the segment that a moment lies in, or the last one before it. */
export function segmentAt(segments, seconds) {
  let found = -1;
  segments.forEach((segment, number) => {
    if (segment.start <= seconds + 0.02) found = number;
  });
  return found;
}

/** Write seconds as m:ss. */
export const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Reduce int8 pairs (lowest, highest) to `width` columns of [lowest, highest] in -1..1. */
export function columns(peaks, width) {
  const pairs = peaks.length >> 1;
  const made = [];
  for (let x = 0; x < width; x += 1) {
    const from = Math.floor((x * pairs) / width);
    const to = Math.max(from + 1, Math.floor(((x + 1) * pairs) / width));
    let low = 0;
    let high = 0;
    for (let at = from; at < to && at < pairs; at += 1) {
      low = Math.min(low, peaks[2 * at]);
      high = Math.max(high, peaks[2 * at + 1]);
    }
    made.push([low / 127, high / 127]);
  }
  return made;
}

/** Tell in a text where a wrong word stands; a word of letters only where it is whole. */
export function occurrences(text, wrong) {
  if (!wrong) return 0;
  return split(text, wrong).length - 1;
}

/** Put a right word for every wrong one. */
export const replaceAll = (text, wrong, right) => split(text, wrong).join(right);

function split(text, wrong) {
  const unspaced = /[\u3005-\u30ff\u3400-\u9fff\ua000-\ua4cf]/.test(wrong);
  if (unspaced) return text.split(wrong);
  const escaped = wrong.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return text.split(new RegExp(`(?<![\\p{L}\\p{M}\\p{N}])${escaped}(?![\\p{L}\\p{M}\\p{N}])`, "u"));
}

/** Find the one stretch in which two texts differ, widened to whole words: [was, is]. */
export function difference(before, after) {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail += 1;
  const letter = (c) => c !== undefined && /[\p{L}\p{M}\p{N}]/u.test(c) && !/[\u3005-\u30ff\u3400-\u9fff\ua000-\ua4cf]/.test(c);
  while (head > 0 && letter(before[head - 1])) head -= 1;
  while (tail > 0 && letter(before[before.length - tail])) tail -= 1;
  return [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
}
