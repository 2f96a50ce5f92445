// Asking the box. An error carries the server's stable word; the page says its own text for it.

import { hasText, t } from "./page.js";

export class ApiError extends Error {
  /**
   * @param {string} code `invalid`, `missing`, … or `offline`
   * @param {string} what the server's English sentence, for the console
   * @param {number} status 0 when the box was not reached
   * @param {string | null} field the field that is wrong
   * @param {number | null} retryAfterS when it may be tried again
   */
  constructor(code, what, status, field = null, retryAfterS = null) {
    super(what);
    this.code = code;
    this.status = status;
    this.field = field;
    this.retryAfterS = retryAfterS;
  }

  /** What a person reads. */
  get words() {
    return t(hasText(`error.${this.code}`) ? `error.${this.code}` : "error.failed");
  }
}

/**
 * @typedef {{signal?: AbortSignal, keepalive?: boolean, headers?: Record<string, string>,
 *   isPoll?: boolean}} Options isPoll: the page asks by itself, which keeps no session alive
 */

/**
 * One request. Without a session any more, the page goes to the sign-in.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @param {Options} [options]
 * @returns {Promise<any>} the answer's JSON; null for 204
 */
export async function api(method, path, body, options = {}) {
  const response = await answerOf(method, path, body, options);
  return response.status === 204 ? null : response.json();
}

/**
 * What is no JSON: footage and its lists. As `api`.
 * @param {string} path
 * @param {Options} [options]
 */
export async function apiBytes(path, options = {}) {
  return (await answerOf("GET", path, undefined, options)).arrayBuffer();
}

/**
 * A question whose answer is read while it comes. As `api`.
 * @param {string} path
 * @param {unknown} body sent as JSON
 * @param {Options} [options]
 */
export async function apiBody(path, body, options = {}) {
  const answer = (await answerOf("POST", path, body, options)).body;
  if (!answer) throw new ApiError("failed", "an answer without a body", 0);
  return answer;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 * @param {Options} options
 */
async function answerOf(method, path, body, options) {
  const headers = new Headers(options.headers);
  if (options.isPoll) headers.set("Vonggac-Poll", "1");
  if (body !== undefined) headers.set("Content-Type", "application/json");
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: options.signal,
      keepalive: options.keepalive,
      credentials: "same-origin",
      redirect: "error",
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError("offline", String(error), 0);
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => null);
  const error = said?.error ?? { code: "failed", what: `HTTP ${response.status}` };
  if (response.status === 401) {
    const next = encodeURIComponent(location.pathname + location.search);
    location.assign(`/sign-in?next=${next}`);
  }
  const retryAfter = response.headers.get("Retry-After");
  throw new ApiError(
    error.code,
    error.what,
    response.status,
    error.field ?? null,
    retryAfter === null ? null : Number(retryAfter),
  );
}
