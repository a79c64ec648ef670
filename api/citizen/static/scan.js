// Reading a receipt's code with the camera: the browser's own reader, or jsQR where it has none.

import { digitsOf, isReceipt } from "./damm.js";
import { load } from "./scripts.js";

const EVERY_MS = 150;
const WIDEST = 800;

async function reader() {
  if (globalThis.BarcodeDetector) {
    const formats = await BarcodeDetector.getSupportedFormats().catch(() => []);
    if (formats.includes("qr_code")) {
      const detector = new BarcodeDetector({ formats: ["qr_code"] });
      return async (canvas) => (await detector.detect(canvas))[0]?.rawValue;
    }
  }
  await load("jsQR.js");
  return async (canvas) => {
    const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return jsQR(data, width, height)?.data;
  };
}

/** Look through the camera until a receipt is seen or the signal aborts; throw if there is no camera. */
export async function scan(video, signal) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  try {
    video.srcObject = stream;
    await video.play();
    const read = await reader();
    const canvas = document.createElement("canvas");
    while (!signal.aborted) {
      const scale = Math.min(1, WIDEST / (video.videoWidth || 1));
      canvas.width = Math.max(1, video.videoWidth * scale);
      canvas.height = Math.max(1, video.videoHeight * scale);
      canvas.getContext("2d", { willReadFrequently: true }).drawImage(video, 0, 0, canvas.width, canvas.height);
      const digits = digitsOf((await read(canvas).catch(() => "")) ?? "");
      if (isReceipt(digits)) return digits;
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    return "";
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}
