// Proof of work in the background: the processor works a moment, the person does nothing.

/** Solve a challenge in a worker; give the payload as the server's altcha reads it. */
export function solve(challenge) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./proof.worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => {
      worker.terminate();
      if (!data || data.error) return reject(new Error("unsolved"));
      const { counter, derivedKey, time } = data;
      resolve(btoa(JSON.stringify({ challenge, solution: { counter, derivedKey, time } })));
    };
    worker.onerror = () => {
      worker.terminate();
      reject(new TypeError("no worker"));
    };
    worker.postMessage({ type: "work", challenge, counterStart: 0, counterStep: 1 });
  });
}
