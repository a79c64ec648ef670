import { deriveKey } from "./vendor/altcha/algorithms/web/pbkdf2.js";
import { handler } from "./vendor/altcha/workers/shared.js";

handler({ deriveKey });
