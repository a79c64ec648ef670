// Vendored scripts that are not modules, loaded when they are needed.

import { about } from "./about.js";

const scripts = new Map();

/** Load a script once; throw TypeError where the network is away. */
export function load(name) {
  if (!scripts.has(name)) {
    scripts.set(name, new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${about.static}/vendor/${name}`;
      script.onload = resolve;
      script.onerror = () => {
        scripts.delete(name);
        reject(new TypeError("no network"));
      };
      document.head.append(script);
    }));
  }
  return scripts.get(name);
}
