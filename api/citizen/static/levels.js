// How loud a stretch of sound is, and what that says to somebody who speaks.

const QUIET_RMS = 0.012;
const SILENT_RMS = 0.0025;
const CLIPPED_PEAK = 0.985;
const PATIENCE = 30; // measurements at ten a second

/** Measure samples in -1..1. */
export function measure(samples) {
  let sum = 0;
  let peak = 0;
  for (const sample of samples) {
    sum += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { rms: Math.sqrt(sum / Math.max(1, samples.length)), peak };
}

/** Say "silent", "quiet", "clipping" or "" of the latest measurements, oldest first. */
export function hint(history) {
  const latest = history.slice(-PATIENCE);
  const clipped = latest.slice(-10).filter((one) => one.peak >= CLIPPED_PEAK).length;
  if (clipped >= 3) return "clipping";
  if (latest.length < PATIENCE) return "";
  const loudest = Math.max(...latest.map((one) => one.rms));
  if (loudest < SILENT_RMS) return "silent";
  return loudest < QUIET_RMS ? "quiet" : "";
}

/** Turn a root mean square into 0..1 as an ear hears it: -60 dB is nothing, -10 dB is full. */
export function loudness(rms) {
  const decibels = 20 * Math.log10(Math.max(rms, 1e-6));
  return Math.min(1, Math.max(0, (decibels + 60) / 50));
}
