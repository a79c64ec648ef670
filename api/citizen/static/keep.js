// The receipt as one picture to keep: the code to scan, and every digit with its own little picture.

const WIDTH = 720;
const MARGIN = 36;
const CODE = 330;
const CELL = (WIDTH - 2 * MARGIN - 24) / 8;
const HEIGHT = MARGIN + CODE + 30 + 2 * 140 + MARGIN / 2;

function picture(digit) {
  const symbol = document.getElementById(`i-p${digit}`);
  const source = `<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96" viewBox="0 0 48 48">${symbol.innerHTML}</svg>`;
  const url = URL.createObjectURL(new Blob([source], { type: "image/svg+xml" }));
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = url;
  }).finally(() => URL.revokeObjectURL(url));
}

/** Draw a receipt; qr : rows of "0" and "1". */
export async function draw(digits, qr) {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  pen.fillStyle = "#000";
  const dot = Math.floor(CODE / qr.length);
  const left = Math.round((WIDTH - dot * qr.length) / 2);
  for (const [y, row] of qr.entries()) {
    for (const [x, bit] of [...row].entries()) if (bit === "1") pen.fillRect(left + x * dot, MARGIN + y * dot, dot, dot);
  }
  pen.textAlign = "center";
  pen.font = "bold 54px system-ui, sans-serif";
  const pictures = await Promise.all([..."0123456789"].map(picture));
  for (const [at, digit] of [...digits].entries()) {
    const column = at % 8;
    const x = MARGIN + column * CELL + (column >= 4 ? 24 : 0) + CELL / 2;
    const y = MARGIN + CODE + 30 + Math.floor(at / 8) * 140;
    if (pictures[digit]) pen.drawImage(pictures[digit], x - 33, y, 66, 66);
    pen.fillText(digit, x, y + 120);
  }
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
